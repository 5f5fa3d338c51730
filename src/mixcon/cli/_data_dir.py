"""--data-dir: where local data lie. Devices take it too, so it imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

__all__ = ["MACHINE", "DataDir"]

MACHINE = "Machine"
"""The panel of --help for what depends on the machine."""

DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="MIXCON_DATA",
        help="Folder of local Parquet files; without it data comes from the Hugging Face hub.",
        rich_help_panel=MACHINE,
    ),
]
