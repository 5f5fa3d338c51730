"""Options that several verbs share, each declared once."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from mixcon import models
from mixcon.cli._allow import allow_typed
from mixcon.cli._data_dir import MACHINE
from mixcon.data import SOURCES
from mixcon.defenses import part_names
from mixcon.errors import ConfigError
from mixcon.training import AUGMENTATIONS, RECIPES, TrainConfig, recipe

__all__ = ["TRAINING", "train_config"]

TRAINING = "Training"
PARTS = ", ".join(["vanilla", *part_names()])
_OWN = "or package.module:name of your own"


Data: TypeAlias = Annotated[
    str | None, typer.Option(help=f"Data set: {', '.join(SOURCES)}, folder:PATH, {_OWN}.")
]
Resize: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Bring all images to so many pixels in width and height; export and infer then do "
        "the same."
    ),
]
Network: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"{', '.join(models.NETWORKS)}, {_OWN} (default: lenet5)"),
]
Recipe: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help=f"Where unset training options come from: {', '.join(RECIPES)}, {_OWN}.",
        rich_help_panel=TRAINING,
    ),
]
Epochs: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="0 leaves a trained network of your own as it is, for the other verbs (default: 8)",
        rich_help_panel=TRAINING,
    ),
]
BatchSize: TypeAlias = Annotated[
    int | None, typer.Option(help="(default: 64)", rich_help_panel=TRAINING)
]
Optimizer: TypeAlias = Annotated[
    str | None, typer.Option(help="sgd, adam or adamw (default: adam)", rich_help_panel=TRAINING)
]
Lr: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Learning rate, the largest of the schedule (default: 0.002; sgd: 0.01)",
        rich_help_panel=TRAINING,
    ),
]
Schedule: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="constant, steps, cosine or one-cycle (default: one-cycle)",
        rich_help_panel=TRAINING,
    ),
]
Momentum: TypeAlias = Annotated[
    float | None, typer.Option(help="Of sgd (default: 0)", rich_help_panel=TRAINING)
]
WeightDecay: TypeAlias = Annotated[
    float | None, typer.Option(help="(default: 0)", rich_help_panel=TRAINING)
]
LabelSmoothing: TypeAlias = Annotated[
    float | None, typer.Option(help="(default: 0)", rich_help_panel=TRAINING)
]
Ramp: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="Epochs over which the weights of the defense rise from 0 (default: 0); try 2 where "
        "a defended network stays at chance",
        rich_help_panel=TRAINING,
    ),
]
Augment: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"{', '.join(AUGMENTATIONS)} (default: none)", rich_help_panel=TRAINING),
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Same seed, same weights (default: 0)", rich_help_panel=TRAINING),
]
Accelerator: TypeAlias = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=MACHINE)
]


def train_config(given: dict[str, Any]) -> TrainConfig:
    """The config of options that were set: those named, then the recipe's, then the defaults.

    What has a name of its own code here was typed, and so may be imported.

    Raises:
        ConfigError: no data, or options that do not go together.
    """
    if "data" not in given:
        raise ConfigError("expected --data, for example --data digits, or --config run.toml")
    typed = [given.get(name, "") for name in ("data", "network", "recipe", "augment")]
    allow_typed(*typed, given.get("defense", ""))
    own = {name: value for name, value in given.items() if name != "recipe"}
    chosen = recipe(given["recipe"]) if "recipe" in given else {}
    return TrainConfig(**{"network": "lenet5", **chosen, **own})
