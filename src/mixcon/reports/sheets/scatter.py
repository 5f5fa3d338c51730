"""Representations in the plane, with the distances that measure their separability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixcon.reports.sheets._canvas import canvas, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ScatterPanel", "scatter_panels"]

_COLORS = ("#3b5b92", "#c8553d")
_SIDE = 2.6  # inches

Point = Sequence[float]


@dataclass(frozen=True)
class ScatterPanel:
    """One panel.

    Attributes:
        title: what stands above it.
        points: positions, (N, 2).
        labels: the class of each point, 0 or 1.
        nearest: the two points whose distance is delta_h.
        farthest: the two points whose distance is Delta_H.
    """

    title: str
    points: Sequence[Point]
    labels: Sequence[int]
    nearest: tuple[Point, Point]
    farthest: tuple[Point, Point]


def scatter_panels(panels: Sequence[ScatterPanel], columns: int) -> bytes:
    """Panels row by row as SVG; the axes of each fit its own points."""
    lines = -(-len(panels) // columns)
    figure = canvas(_SIDE * columns, _SIDE * lines + 0.4)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw(axes, panel)
    handles, names = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return rendered(figure, "svg")


def _draw(axes: Axes, panel: ScatterPanel) -> None:
    for label, color in enumerate(_COLORS):
        chosen = [p for p, y in zip(panel.points, panel.labels, strict=True) if y == label]
        x, y = zip(*chosen, strict=True) if chosen else ((), ())
        axes.scatter(x, y, s=6, color=color, alpha=0.7, linewidths=0, label=f"class {label}")
    for pair, style, name in (
        (panel.farthest, {"color": "#444", "linestyle": "--"}, "$\\Delta_H$"),
        (panel.nearest, {"color": "#000", "marker": "o", "markersize": 5}, "$\\delta_h$"),
    ):
        x, y = zip(*pair, strict=True)
        axes.plot(x, y, linewidth=1, fillstyle="none", label=name, **style)
    axes.set_title(panel.title, fontsize=8)
    axes.tick_params(labelsize=6)
