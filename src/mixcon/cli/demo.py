"""mixcon demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mixcon._files import check_writable
from mixcon.attacks import Decoder, Posterior, RmlePaper
from mixcon.audit import subjects_of
from mixcon.cli._console import command, say
from mixcon.cli._digits_runs import code_of, plain_and_paper, train_on_digits
from mixcon.cli._output import Quiet
from mixcon.cli.audit import report_on
from mixcon.data import load

__all__ = ["demo"]

_VICTIMS = 50


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the runs and the report.")] = Path(
        "mixcon-demo"
    ),
    quiet: Quiet = False,
) -> None:
    """Train, attack and report in about a minute, without a network connection.

    Three LeNet-5 read the handwritten digits that come with scikit-learn: one plain, one with the
    MixCon loss, one that sends a code of 8 bits. The paper's attack and two stronger ones try to
    redraw the digits from what leaves the device.
    """
    check_writable(out)
    data = load("digits")
    runs = [train_on_digits(defense, out) for defense in (*plain_and_paper(), code_of(8))]
    subjects = subjects_of(runs, data)
    report_on(
        subjects,
        data,
        [RmlePaper(), Posterior(), Decoder(steps=200)],
        _VICTIMS,
        seed=0,
        folder=out / "report",
        thorough=False,
    )
    again = command("audit", *runs)
    say(f"Next, in full and with a verdict: {again}")
