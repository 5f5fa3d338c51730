"""Training of defended split models: config, run folder and loop."""

from mixcon.training.config import TrainConfig, read_config
from mixcon.training.folder import RunFolder, versions
from mixcon.training.loop import Progress, accuracy, load_model, train

__all__ = [
    "Progress",
    "RunFolder",
    "TrainConfig",
    "accuracy",
    "load_model",
    "read_config",
    "train",
    "versions",
]
