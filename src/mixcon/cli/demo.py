"""mixcon demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixcon._files import check_writable
from mixcon.attacks import Decoder, Posterior, RmlePaper
from mixcon.audit import subjects_of
from mixcon.cli._console import command, console, interruptible, training_progress
from mixcon.cli._output import Quiet
from mixcon.cli.audit import report_on
from mixcon.data import load
from mixcon.defenses import DefenseConfig
from mixcon.training import TrainConfig, train

__all__ = ["demo"]

_DEFENSES = (
    "vanilla",
    "mixcon(weight=1, beta=1e-4)",
    "code(bits=8) + unicon(weight=0.3, on=z)",
)
_VICTIMS = 50


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "mixcon-demo"
    ),
    quiet: Quiet = False,
) -> None:
    """Train, attack and report in under three minutes, without a network connection.

    Three LeNet-5 read the handwritten digits that come with scikit-learn: one plain, one with the
    MixCon loss, one that sends a code of 8 bits. The paper's attack and two stronger ones try to
    redraw the digits from what leaves the device.
    """
    check_writable(out)
    data = load("digits")
    runs = []
    for defense in _DEFENSES:
        config = TrainConfig(
            data="digits",
            network="lenet5",
            defense=DefenseConfig.parse(defense),
            epochs=30,
            batch_size=16,
        )
        name = config.defense.name
        runs.append(out / name)
        with (
            interruptible("Run the same command again to go on."),
            training_progress(name) as on_progress,
        ):
            train(config, runs[-1], accelerator="cpu", on_progress=on_progress)
    subjects = subjects_of(runs, data)
    report_on(
        subjects,
        data,
        [RmlePaper(), Posterior(), Decoder(steps=400)],
        _VICTIMS,
        seed=0,
        folder=out / "report",
        thorough=False,
    )
    again = command("audit", *runs)
    console.print(f"Next, in full and with a verdict: {again}", soft_wrap=True, highlight=False)
