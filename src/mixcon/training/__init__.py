"""Training of defended split models: config, run folder and loop."""

from mixcon.training.augment import AUGMENTATIONS
from mixcon.training.build import build, observe_range
from mixcon.training.config import TrainConfig, explain, read_config, read_toml
from mixcon.training.devices import device_of
from mixcon.training.loop import (
    Progress,
    accuracy,
    load_model,
    make_fabric,
    raw_separability,
    train,
)
from mixcon.training.metric_log import LOGS, metric_log
from mixcon.training.optimizer import learning_rate
from mixcon.training.recipes import RECIPES, recipe
from mixcon.training.run_folder import RunFolder, versions
from mixcon.training.stacked import stacking_pays, train_stacked

__all__ = [
    "AUGMENTATIONS",
    "LOGS",
    "RECIPES",
    "Progress",
    "RunFolder",
    "TrainConfig",
    "accuracy",
    "build",
    "device_of",
    "explain",
    "learning_rate",
    "load_model",
    "make_fabric",
    "metric_log",
    "observe_range",
    "raw_separability",
    "read_config",
    "read_toml",
    "recipe",
    "stacking_pays",
    "train",
    "train_stacked",
    "versions",
]
