"""Families of curves over a logarithmic axis, one panel a quantity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixcon.reports.sheets._canvas import canvas, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CurvePanel", "curve_panels"]

_WIDTH, _HEIGHT = 3.6, 2.8  # inches


@dataclass(frozen=True)
class CurvePanel:
    """One panel.

    Attributes:
        title: what stands above it.
        across: name of the horizontal axis.
        up: name of the vertical axis.
        x: positions on the horizontal axis, all > 0.
        curves: name to one value a position; None where there is none.
    """

    title: str
    across: str
    up: str
    x: Sequence[float]
    curves: Mapping[str, Sequence[float | None]]


def curve_panels(panels: Sequence[CurvePanel], columns: int, title: str = "") -> bytes:
    """Panels row by row as SVG, with one legend for all of them."""
    from matplotlib import colormaps  # noqa: PLC0415

    lines = -(-len(panels) // columns)
    figure = canvas(_WIDTH * columns, _HEIGHT * lines + 0.6)
    figure.suptitle(title, fontsize=9)
    grid = figure.subplots(lines, columns, squeeze=False)
    names = list(panels[0].curves)
    colors = colormaps["viridis"]([i / max(len(names) - 1, 1) * 0.9 for i in range(len(names))])
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw(axes, panel, dict(zip(names, colors, strict=True)))
    handles, shown = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, shown, loc="outside lower center", ncols=7, fontsize=7, frameon=False)
    return rendered(figure, "svg")


def _draw(axes: Axes, panel: CurvePanel, colors: Mapping[str, Sequence[float]]) -> None:
    for name, values in panel.curves.items():
        heights = [math.nan if value is None else value for value in values]
        axes.plot(panel.x, heights, marker="o", markersize=3, color=colors[name], label=name)
    axes.set_xscale("log")
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel(panel.across, fontsize=8)
    axes.set_ylabel(panel.up, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
