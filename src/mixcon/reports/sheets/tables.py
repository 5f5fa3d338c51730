"""Tables of pictures: a strip of reconstructions a cell."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

from PIL import Image

from mixcon.reports.sheets._canvas import canvas, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Sheet", "sheet_table"]

_WIDTH = 1.15  # inches a column
_SPARE = 0.45  # inches a row, for what stands above it


@dataclass(frozen=True)
class Sheet:
    """One cell.

    Attributes:
        png: the strip of pictures; all of a row are equally large.
        caption: what stands above it.
    """

    png: bytes
    caption: str = ""


def sheet_table(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Sheet]]], title: str = ""
) -> bytes:
    """Rows of sheets, each with its name at the left, under one heading a column; as PNG."""
    pictures = [[Image.open(io.BytesIO(s.png)) for s in sheets] for _, sheets in rows]
    heights = [_WIDTH * line[0].height / line[0].width + _SPARE for line in pictures]
    figure = canvas(_WIDTH * len(columns) + 0.4, sum(heights) + 0.4)
    figure.suptitle(fill(title, 18 * len(columns)), fontsize=8)
    grid = figure.subplots(len(rows), len(columns), squeeze=False, height_ratios=heights)
    for i, (name, sheets) in enumerate(rows):
        for j, sheet in enumerate(sheets):
            head = f"{columns[j]}\n{sheet.caption}" if i == 0 else sheet.caption
            _draw(grid[i, j], pictures[i][j], head)
        grid[i, 0].set_ylabel(name, fontsize=7)
    return rendered(figure, "png")


def _draw(axes: Axes, picture: Image.Image, head: str) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(head, fontsize=7)
    axes.set_xticks([])
    axes.set_yticks([])
