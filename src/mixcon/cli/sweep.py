"""mixcon sweep."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mixcon.cli._sweep_options import SPACE, searching
from mixcon.cli._sweep_run import run
from mixcon.sweep import Limits

__all__ = ["sweep"]


@searching
def sweep(
    grid: Annotated[
        str | None,
        typer.Option(
            help="paper: the 8 x 7 values of lambda and beta of its Figure 3.",
            rich_help_panel=SPACE,
        ),
    ] = None,
    **given: Any,
) -> None:
    """Search for the front between accuracy and leakage.

    Trials are compared on a part of the training set, by a cheap attack; the strong attacks run
    on the front alone, and only the front meets the test set. Interrupted or killed, the same
    command goes on where it stopped.

    Example: mixcon sweep --data mnist --defense "mixcon(weight=[0.1, 1], beta=1e-4..1e-2)" --out s
    """
    given["grid"] = grid
    run(given, given.pop("out"), Limits())
