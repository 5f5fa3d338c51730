"""mixcon train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mixcon import models, training
from mixcon.channels import CHANNELS
from mixcon.cli._console import console, interruptible, training_progress
from mixcon.data import SOURCES
from mixcon.defenses import named_defense
from mixcon.errors import ConfigError
from mixcon.losses import BARRIERS, LOSSES
from mixcon.training import RunFolder, TrainConfig, read_config

__all__ = ["train"]

_DEFENSES = ", ".join(["vanilla", *LOSSES, *CHANNELS])
_TRAINING = "Training"
_DEFENSE = "Defense"
_MACHINE = "Machine"
_OWN = ("out", "config", "data_dir", "accelerator", "devices")  # say how or where, not what


def train(
    data: Annotated[
        str | None, typer.Option(help=f"Data set: {', '.join(SOURCES)}, or folder:PATH.")
    ] = None,
    network: Annotated[
        str | None, typer.Option(help=f"{', '.join(models.NETWORKS)} (default: lenet5)")
    ] = None,
    cut: Annotated[
        str | None,
        typer.Option(help="Layer whose output leaves the device (default: the paper's cut)"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: runs/DATA-NETWORK-DEFENSE)")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Take all settings from this TOML file instead.")
    ] = None,
    defense: Annotated[
        str | None,
        typer.Option(
            help=f"{_DEFENSES}, or several joined by + (default: vanilla)",
            rich_help_panel=_DEFENSE,
        ),
    ] = None,
    lam: Annotated[
        float | None,
        typer.Option(help="Weight of the loss, lambda in the paper.", rich_help_panel=_DEFENSE),
    ] = None,
    beta: Annotated[
        float | None, typer.Option(help="Repulsion of mixcon.", rich_help_panel=_DEFENSE)
    ] = None,
    eps: Annotated[
        float | None, typer.Option(help="Clamp of distances, mixcon.", rich_help_panel=_DEFENSE)
    ] = None,
    barrier: Annotated[
        str | None, typer.Option(help=f"mixcon: {', '.join(BARRIERS)}.", rich_help_panel=_DEFENSE)
    ] = None,
    sigma: Annotated[
        float | None,
        typer.Option(help="Standard deviation of gaussian noise.", rich_help_panel=_DEFENSE),
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="Scale of laplace noise.", rich_help_panel=_DEFENSE)
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Share that dropout drops.", rich_help_panel=_DEFENSE)
    ] = None,
    bits: Annotated[
        int | None, typer.Option(help="Bits a number for quantize.", rich_help_panel=_DEFENSE)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="(default: 20)", rich_help_panel=_TRAINING)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="(default: 64)", rich_help_panel=_TRAINING)
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="Learning rate of SGD (default: 0.01)", rich_help_panel=_TRAINING),
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="(default: 0)", rich_help_panel=_TRAINING)
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="(default: 0)", rich_help_panel=_TRAINING)
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Same seed, same weights (default: 0)", rich_help_panel=_TRAINING),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            envvar="MIXCON_DATA",
            help="Folder of local Parquet files; without it data comes from the Hugging Face hub.",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    accelerator: Annotated[
        str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=_MACHINE)
    ] = "auto",
    devices: Annotated[
        int, typer.Option(min=1, help="How many of them.", rich_help_panel=_MACHINE)
    ] = 1,
    precision: Annotated[
        str | None,
        typer.Option(
            help="32-true, 64-true, 16-mixed or bf16-mixed (default: 32-true)",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
) -> None:
    """Train a split model, with or without a defense.

    Interrupted or killed, the same command goes on where it stopped, and ends with the same
    weights.

    Example: mixcon train --data mnist --defense mixcon --lam 1 --beta 1e-4 --out runs/m
    """
    given = {k: v for k, v in locals().items() if v is not None and k not in _OWN}
    chosen = _from_file(config, given) if config else _from_options(given)
    folder = out or Path("runs") / "-".join(
        [chosen.data.replace(":", "-").replace("/", "-"), chosen.network, chosen.defense.name]
    )
    with (
        interruptible(f"Run the same command again to go on: {folder} keeps what was done."),
        training_progress(chosen.defense.name) as on_progress,
    ):
        training.train(
            chosen,
            folder,
            data_dir=data_dir,
            accelerator=accelerator,
            devices=devices,
            on_progress=on_progress,
        )
    last = RunFolder(folder).read_metrics()[-1]
    console.print(f"test accuracy {last['test_accuracy']:.1%}, run in {folder}", soft_wrap=True)
    console.print(f"See what it leaks: mixcon audit {folder}", soft_wrap=True)
    _warn_of_chance(last)


def _warn_of_chance(last: dict[str, Any]) -> None:
    """Say that the network learned nothing, if that cannot be told from what it does."""
    if last["test_accuracy"] <= last.get("chance", -1.0):  # runs of earlier versions do not say
        console.print(
            f"[yellow]warning:[/yellow] the network is at chance: it classifies "
            f"{last['test_accuracy']:.1%} correctly, and guessing gets up to {last['chance']:.1%} "
            "with luck. An audit gives no verdict on it. Train longer, or with another --lr or a "
            "weaker defense.",
            highlight=False,
            soft_wrap=True,
        )


def _from_file(path: Path, given: dict[str, Any]) -> TrainConfig:
    if given:
        options = ", ".join("--" + name.replace("_", "-") for name in given)
        raise ConfigError(
            f"expected either --config or settings, but got both: set {options} there"
        )
    return read_config(path)


def _from_options(given: dict[str, Any]) -> TrainConfig:
    """Settings of the run by their own name; the others belong to the defense."""
    if "data" not in given:
        raise ConfigError("expected --data, for example --data digits, or --config run.toml")
    own = {name: given.pop(name) for name in TrainConfig.model_fields if name in given}
    name = own.pop("defense", "vanilla")
    return TrainConfig(
        **{"network": "lenet5", **own},
        defense=named_defense(name, **given),
    )
