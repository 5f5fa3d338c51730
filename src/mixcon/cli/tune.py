"""mixcon tune."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mixcon.cli._console import say
from mixcon.cli._sweep_options import searching
from mixcon.cli._sweep_run import run
from mixcon.errors import ConfigError
from mixcon.sweep import Limits

__all__ = ["tune"]


@searching
def tune(
    max_excess: Annotated[
        float | None,
        typer.Option(
            help="Find the best accuracy with at most this excess leakage, judged by the upper end "
            "of its 95 % interval: 0 is what the label alone reveals, 1 an exact copy."
        ),
    ] = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(help="Find the least leakage with at least this accuracy, such as 0.97."),
    ] = None,
    max_bits: Annotated[
        float | None,
        typer.Option(
            help="Find the best accuracy with at most this maximal leakage, which is proved: "
            "seeing what is sent multiplies the chance of any guess by at most 2^bits."
        ),
    ] = None,
    **given: Any,
) -> None:
    """Find the best config within a limit, and write it for mixcon train --config.

    Searches as mixcon sweep does; on the folder of a sweep it chooses among its trials. Ends with
    code 1 if no trial keeps to the limit.

    Example: mixcon tune --max-excess 0.2 --data mnist --defense "code(bits=4..16)" --out s
    """
    limits = Limits(max_excess=max_excess, min_accuracy=min_accuracy, max_bits=max_bits)
    if limits == Limits():
        raise ConfigError(
            "expected --max-excess, --min-accuracy or --max-bits, such as --max-excess 0.2"
        )
    if not run(given, given.pop("out"), limits):
        say(
            "Nothing was chosen: loosen the limit, raise --trials, or search anew with more "
            "--victims, which narrows the intervals."
        )
        raise typer.Exit(1)
