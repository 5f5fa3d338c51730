"""Lines over a linear axis with a marked position, panels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixcon.reports.sheets._canvas import canvas, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Line", "LinePanel", "line_panels"]

_WIDTH, _HEIGHT = 4.2, 3.2  # inches


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        name: its name in the legend.
        x: positions.
        y: values, NaN where there is none.
        color: as Matplotlib takes it.
        dashed: whether to dash it.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str
    dashed: bool = False


@dataclass(frozen=True)
class LinePanel:
    """One panel.

    Attributes:
        title: what stands above it.
        across: title of the horizontal axis.
        up: title of the vertical axis.
        lines: what it shows.
        mark: where to draw a vertical line.
        logarithmic: whether the vertical axis is.
    """

    title: str
    across: str
    up: str
    lines: Sequence[Line]
    mark: float
    logarithmic: bool = False


def line_panels(panels: Sequence[LinePanel]) -> bytes:
    """Panels side by side as SVG, each with a legend."""
    figure = canvas(_WIDTH * len(panels), _HEIGHT)
    for axes, panel in zip(
        figure.subplots(1, len(panels), squeeze=False).flat, panels, strict=True
    ):
        _draw(axes, panel)
    return rendered(figure, "svg")


def _draw(axes: Axes, panel: LinePanel) -> None:
    axes.axvline(panel.mark, color="#999", linewidth=1, linestyle=":")
    for line in panel.lines:
        style = "--" if line.dashed else "-"
        axes.plot(
            line.x, line.y, style, label=line.name, color=line.color, marker="o", markersize=3
        )
    if panel.logarithmic:
        axes.set_yscale("log")
    axes.set_title(panel.title, fontsize=9)
    axes.set_xlabel(panel.across, fontsize=8)
    axes.set_ylabel(panel.up, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=6, frameon=False)
