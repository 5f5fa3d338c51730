"""What is kept against what leaks, a panel a data set, with the front of what nothing beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mixcon.reports.sheets._canvas import canvas, rendered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FrontPanel", "FrontPoint", "front_panels"]

_WIDTH, _HEIGHT = 4.2, 3.4  # inches
_COLUMNS = 2
_FRONT, _REST = "#c8553d", "#8e9aa6"
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class FrontPoint:
    """One point.

    Attributes:
        name: which a letter beside it stands for; none if empty.
        right: where it is along the horizontal axis.
        up: where it is along the vertical one.
        interval: about `up`.
        front: whether no other point beats it.
    """

    name: str
    right: float
    up: float
    interval: tuple[float, float]
    front: bool


@dataclass(frozen=True)
class FrontPanel:
    """One panel.

    Attributes:
        title: what stands above it.
        points: in any order.
    """

    title: str
    points: Sequence[FrontPoint]


def front_panels(panels: Sequence[FrontPanel], right: str, up: str) -> bytes:
    """Panels row by row as SVG.

    Args:
        panels: at least one.
        right: title of the horizontal axes.
        up: title of the vertical axes.
    """
    columns = min(_COLUMNS, len(panels))
    lines = -(-len(panels) // columns)
    figure = canvas(_WIDTH * columns, _HEIGHT * lines)
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _draw(axes, panel)
        axes.set_xlabel(right, fontsize=8)
        axes.set_ylabel(up, fontsize=8)
    return rendered(figure, "svg")


def _draw(axes: Axes, panel: FrontPanel) -> None:
    for point in panel.points:
        color = _FRONT if point.front else _REST
        axes.plot([point.right] * 2, point.interval, color=color, linewidth=1)
        axes.plot(point.right, point.up, "o", markersize=4, color=color)
    for sign, point in zip(_SIGNS, _named(panel), strict=False):
        axes.annotate(
            sign,
            (point.right, point.up),
            xytext=(5, -2),
            textcoords="offset points",
            fontsize=7,
            color=_FRONT if point.front else "#222",
        )
        axes.plot([], [], " ", label=f"{sign} {point.name}")
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, fontsize=7, frameon=False,
        handlelength=0, handletextpad=0,
    )  # fmt: skip
    axes.axhline(0, color="#555", linewidth=1, linestyle=":")
    axes.set_title(panel.title, fontsize=9)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _named(panel: FrontPanel) -> list[FrontPoint]:
    return sorted((point for point in panel.points if point.name), key=lambda point: point.up)
