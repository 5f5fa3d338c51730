"""Output for machines: `--json` on standard output, and `--quiet` for all the rest."""

from __future__ import annotations

import json
import logging
import math
from typing import Annotated, Any, TypeAlias

import typer

from mixcon.cli._console import console

__all__ = ["Json", "Quiet", "print_json"]

Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print the outcome as JSON on standard output.")
]


def _quiet(context: typer.Context, asked: bool) -> None:
    console.quiet = asked
    if asked:
        notes = logging.getLogger("mixcon.data")
        notes.setLevel(logging.ERROR)
        context.call_on_close(lambda: notes.setLevel(logging.NOTSET))


Quiet: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", callback=_quiet, expose_value=False, help="Show nothing but errors."
    ),
]


def print_json(outcome: Any) -> None:
    """One document, on one line; a number that is not finite is null, a path is text."""
    typer.echo(json.dumps(_finite(outcome), allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
