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
_NEAR = 0.06  # share of a panel's width within which signs would overlap
_TALL, _SIGN = 140, 7  # points (1/72 inch): between the lowest and the highest point, of a sign
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
    named = _named(panel)
    for sign, point, lift in zip(_SIGNS, named, _lifts(named, panel), strict=False):
        axes.annotate(
            sign,
            (point.right, point.up),
            xytext=(5, lift - 2),
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


def _lifts(named: Sequence[FrontPoint], panel: FrontPanel) -> list[float]:
    """Points (1/72 inch) by which each sign is raised, so that none covers one below it."""
    across, along = ([getattr(p, axis) for p in panel.points] for axis in ("right", "up"))
    width, height = max(across) - min(across) or 1.0, max(along) - min(along) or 1.0
    ends: list[float] = []
    for point in named:
        below = [
            end
            for other, end in zip(named, ends, strict=False)
            if abs(other.right - point.right) <= _NEAR * width
        ]
        ends.append(max([point.up / height * _TALL, *(end + _SIGN for end in below)]))
    return [end - point.up / height * _TALL for point, end in zip(named, ends, strict=True)]
