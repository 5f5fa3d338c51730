"""mixcon adapt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mixcon import training
from mixcon._files import check_writable
from mixcon.cli._allow import AllowCode
from mixcon.cli._console import interruptible, training_progress
from mixcon.cli._data_dir import DataDir
from mixcon.cli._options import (
    PARTS,
    Accelerator,
    BatchSize,
    Data,
    Epochs,
    LabelSmoothing,
    Lr,
    Network,
    Ramp,
    Resize,
    Seed,
    train_config,
)
from mixcon.cli._output import Json, Quiet
from mixcon.cli._trained import say_trained
from mixcon.errors import ConfigError
from mixcon.training import RunFolder, TrainConfig

__all__ = ["adapt"]

DEFENSE = "code(bits=16) + unicon(weight=0.3, on=z)"


def adapt(
    run: Annotated[
        Path | None,
        typer.Argument(help="Run folder of an undefended mixcon train; or none, and --network."),
    ] = None,
    network: Network = None,
    data: Data = None,
    resize: Resize = None,
    cut: Annotated[
        str | None,
        typer.Option(help="Layer whose output leaves the device (default: that of RUN)"),
    ] = None,
    defense: Annotated[
        str, typer.Option(help=f"What is trained behind the encoder: {PARTS}.")
    ] = DEFENSE,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: runs/DATA-NETWORK-DEFENSE-adapted)")
    ] = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    lr: Lr = None,
    label_smoothing: LabelSmoothing = None,
    ramp: Ramp = None,
    seed: Seed = None,
    data_dir: DataDir = None,
    accelerator: Accelerator = "auto",
    allow_code: AllowCode = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Defend a network that is trained already: its encoder stays as it is.

    Only what leaves the device is learned anew (a projection, noise, a code), and the head goes on
    from where it was. The encoder runs once over the data, so this takes a few minutes, and on a
    few thousand samples a hundred epochs cost little and may gain a point or two. The network is
    that of an undefended run, or a function of your own that returns it with its weights.

    Examples:
      mixcon adapt runs/vanilla --defense "code(bits=8) + unicon(weight=0.3, on=z)"
      mixcon adapt --network mine.nets:pretrained --cut layer2 --data mnist

    mixcon train --epochs 0 makes a run of such a network as it is, to audit beside this one.
    """
    own = ("run", "out", "data_dir", "accelerator", "as_json", "quiet")
    given = {k: v for k, v in locals().items() if v is not None and k not in (*own, "own")}
    config = _behind_run(run, given) if run else _behind_network(given)
    name = "-".join([config.data_title, config.network, config.defense.name, "adapted"])
    folder = out or Path("runs") / name.replace(":", "-")
    check_writable(folder)
    with (
        interruptible(f"Run the same command again to go on: {folder} keeps what was done."),
        training_progress(config.defense.name) as on_progress,
    ):
        training.train(
            config, folder, data_dir=data_dir, accelerator=accelerator, on_progress=on_progress
        )
    say_trained(folder, data_dir=data_dir, as_json=as_json, undefended=run)


def _behind_run(run: Path, given: dict[str, Any]) -> TrainConfig:
    if odd := [name for name in ("network", "data", "resize") if name in given]:
        raise ConfigError(f"expected --{odd[0]} without a run folder, which has its own")
    there = RunFolder(run).config
    kept = {name: getattr(there, name) for name in ("data", "resize", "network", "cut", "seed")}
    known = {name: value for name, value in kept.items() if value is not None}
    return TrainConfig(**{**known, **given}, start=str(run), frozen=True)


def _behind_network(given: dict[str, Any]) -> TrainConfig:
    if "network" not in given:
        raise ConfigError(
            "expected a run folder, or --network package.module:name of a network that is trained "
            "already"
        )
    return train_config({**given, "frozen": True})
