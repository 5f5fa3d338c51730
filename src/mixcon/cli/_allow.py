"""Leave for code of one's own: what is typed has it, what a file names needs `--allow-code`."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from mixcon.registry import ALLOWED, allow_code, packages_in

__all__ = ["AllowCode", "allow_typed"]


def _allow(packages: str | None) -> None:
    if packages is not None:
        allow_code(*packages.split(","))


AllowCode: TypeAlias = Annotated[
    str | None,
    typer.Option(
        callback=_allow,
        expose_value=False,
        metavar="PACKAGES",
        help="Import these packages, separated by commas, where a file read here names code in "
        f"them, as {ALLOWED} does. What you type yourself needs no leave.",
    ),
]


def allow_typed(*texts: str) -> None:
    """Allow the code that texts of the command line name as ``package.module:name``."""
    allow_code(*packages_in(*texts))
