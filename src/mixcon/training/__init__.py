"""Training of defended split models: config, run folder and loop."""

from mixcon.training.config import TrainConfig, explain, read_config, read_toml
from mixcon.training.folder import RunFolder, versions
from mixcon.training.loop import (
    Progress,
    accuracy,
    load_model,
    make_fabric,
    raw_separability,
    show_channel,
    train,
)
from mixcon.training.stacked import stacking_pays, train_stacked

__all__ = [
    "Progress",
    "RunFolder",
    "TrainConfig",
    "accuracy",
    "explain",
    "load_model",
    "make_fabric",
    "raw_separability",
    "read_config",
    "read_toml",
    "show_channel",
    "stacking_pays",
    "train",
    "train_stacked",
    "versions",
]
