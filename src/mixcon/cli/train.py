"""mixcon train."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from mixcon import training
from mixcon._files import check_writable
from mixcon.cli._allow import AllowCode
from mixcon.cli._console import interruptible, say, training_progress
from mixcon.cli._data_dir import MACHINE, DataDir
from mixcon.cli._options import (
    PARTS,
    Accelerator,
    Augment,
    BatchSize,
    Data,
    Epochs,
    LabelSmoothing,
    Lr,
    Momentum,
    Network,
    Optimizer,
    Ramp,
    Recipe,
    Resize,
    Schedule,
    Seed,
    WeightDecay,
    train_config,
)
from mixcon.cli._output import Json, Quiet
from mixcon.cli._trained import say_trained
from mixcon.errors import ConfigError
from mixcon.training import Progress, TrainConfig, read_config

__all__ = ["train"]

_OWN = (
    "log",
    "out",
    "config",
    "data_dir",
    "accelerator",
    "devices",
    "as_json",
    "quiet",
)  # say how or where, not what


def train(
    data: Data = None,
    resize: Resize = None,
    network: Network = None,
    cut: Annotated[
        str | None,
        typer.Option(help="Layer whose output leaves the device (default: the paper's cut)"),
    ] = None,
    defense: Annotated[
        str | None,
        typer.Option(
            help=f"Parts joined by +, each with its settings: {PARTS}, or package.module:name of "
            "your own (default: vanilla)",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: runs/DATA-NETWORK-DEFENSE)")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Take all settings from this TOML file instead.")
    ] = None,
    allow_code: AllowCode = None,
    recipe: Recipe = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    optimizer: Optimizer = None,
    lr: Lr = None,
    schedule: Schedule = None,
    momentum: Momentum = None,
    weight_decay: WeightDecay = None,
    label_smoothing: LabelSmoothing = None,
    ramp: Ramp = None,
    augment: Augment = None,
    seed: Seed = None,
    data_dir: DataDir = None,
    accelerator: Accelerator = "auto",
    devices: Annotated[
        int, typer.Option(min=1, help="How many of them.", rich_help_panel=MACHINE)
    ] = 1,
    precision: Annotated[
        str | None,
        typer.Option(
            help="32-true, 64-true, 16-mixed or bf16-mixed (default: 32-true)",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            help=f"Also send each epoch's numbers to {' or '.join(training.LOGS)} "
            "(RUN/tensorboard; MLFLOW_TRACKING_URI, or mlflow.db beside RUN).",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a split model, with or without a defense.

    Interrupted or killed, the same command goes on where it stopped, and ends with the same
    weights.

    Examples:
      mixcon train --data mnist --defense "mixcon(weight=1, beta=1e-4)" --out runs/m
      mixcon train --data mnist --network mine.nets:pretrained --epochs 0 --out runs/own
    """
    given = {k: v for k, v in locals().items() if v is not None and k not in _OWN}
    chosen = _from_file(config, given) if config else train_config(given)
    name = "-".join([chosen.data_title, chosen.network, chosen.defense.name])
    folder = out or Path("runs") / name.replace(":", "-")
    was_finished = training.RunFolder(folder).finished
    check_writable(folder)
    with (
        interruptible(f"Run the same command again to go on: {folder} keeps what was done."),
        training_progress(chosen.defense.name) as show,
        training.metric_log(log, folder, chosen) if log else nullcontext() as keep,
    ):

        def on_progress(progress: Progress) -> None:
            show(progress)
            if keep and progress.record:
                keep(progress.record)

        training.train(
            chosen,
            folder,
            data_dir=data_dir,
            accelerator=accelerator,
            devices=devices,
            on_progress=on_progress,
        )
    if was_finished:
        say(f"{folder} was finished already; nothing was trained.")
    say_trained(folder, data_dir=data_dir, as_json=as_json)


def _from_file(path: Path, given: dict[str, Any]) -> TrainConfig:
    if given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise ConfigError(
            f"expected either --config or settings, but got both: set {options} there"
        )
    return read_config(path)
