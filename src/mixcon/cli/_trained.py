"""What a command says of the run that it has trained, and where to go from there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mixcon.cli._console import command, say, warn
from mixcon.cli._output import print_json
from mixcon.training import RunFolder

__all__ = ["say_trained"]


def say_trained(
    folder: Path, *, data_dir: Path | None, as_json: bool, undefended: Path | None = None
) -> None:
    """Say how accurate a finished run is, that of the undefended one, and how to audit it."""
    config, last = RunFolder(folder).config, RunFolder(folder).read_metrics()[-1]
    before = RunFolder(undefended).read_metrics()[-1]["test_accuracy"] if undefended else None
    was = "" if before is None else f", undefended {before:.1%}"
    said = f"test accuracy {last['test_accuracy']:.1%}{was}, run in {folder}"
    say(said)
    runs = (undefended, folder) if undefended else (folder,)
    see = command("audit", *runs, data_dir=data_dir, allow_code=",".join(config.packages))
    say(f"See what it leaks: {see}")
    _warn_of_chance(last)
    if as_json:
        print_json({"run": folder, "config": config.model_dump(mode="json"), "last": last})


def _warn_of_chance(last: dict[str, Any]) -> None:
    """Say that the network learned nothing, if that cannot be told from what it does."""
    if last["test_accuracy"] <= last.get("chance", -1.0):  # runs of earlier versions do not say
        warn(
            "the network is at chance: it classifies "
            f"{last['test_accuracy']:.1%} correctly, and guessing gets up to {last['chance']:.1%} "
            "with luck. An audit gives no verdict on it. Let a defense set in by and by (--ramp "
            "2), train longer, or with another --lr or a weaker defense; bring the columns of a "
            "table to one scale."
        )
