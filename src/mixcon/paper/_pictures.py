"""Pictures in a result: strips of victims and of what was made of them, as PNG in base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from mixcon.paper._experiment import Result
from mixcon.paper._setting import Column
from mixcon.reports import grid, headline, png, strongest_pictures
from mixcon.reports.sheets import Sheet, sheet_table

__all__ = ["draw", "picture_rows"]

_SHOWN = 3  # victims a strip: the first ones, not the best


def picture_rows(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Two rows for one data set: what the paper's attack and the strongest got from each setting.

    Both start with the victims themselves; the pictures are those of the first seed.
    """
    found = {"paper's attack": _papers, "strongest": _strongest}
    victims = {"png": _strip(columns[0].galleries[0].originals), "caption": ""}
    return [
        {
            "name": f"{columns[0].shown}\n{attack}",
            "cells": [victims, *(_cell(column, pictures(column)) for column in columns)],
        }
        for attack, pictures in found.items()
    ]


def _papers(column: Column) -> Tensor:
    record, gallery = column.records[0], column.galleries[0]
    return gallery.reconstructions[record.name][record.attacks[0].attack]


def _strongest(column: Column) -> Tensor:
    record = column.records[0]
    found = column.galleries[0].reconstructions[record.name]
    chosen = headline(record, "ssim").attack
    return found[chosen] if chosen else strongest_pictures(record, found)


def _cell(column: Column, pictures: Tensor) -> dict[str, str]:
    return {"png": _strip(pictures), "caption": f"{100 * column.records[0].accuracy:.1f} %"}


def draw(result: Result) -> dict[str, bytes]:
    """The table of pictures in `result.data`, ``titles`` and ``rows`` of ``name`` and ``cells``."""
    rows: list[tuple[str, list[Sheet]]] = [
        (row["name"], [_sheet(cell) for cell in row["cells"]]) for row in result.data["rows"]
    ]
    table = sheet_table(result.data["titles"], rows, title=result.ran)
    return {f"{result.name}.png": table}


def _sheet(cell: dict[str, Any]) -> Sheet:
    return Sheet(base64.b64decode(cell["png"]), cell["caption"])


def _strip(images: Tensor) -> str:
    sheet = grid(images[:_SHOWN].clamp(0, 1), columns=1)
    return base64.b64encode(png(sheet)).decode("ascii")
