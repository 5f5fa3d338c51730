"""Groups of bars over a common axis, with a level that they are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

from mixcon.reports.sheets._canvas import canvas, rendered

__all__ = ["grouped_bars"]

_WIDTH, _HEIGHT = 6.4, 3.0  # inches
_COLORS = ("#8e9aa6", "#c8553d", "#4f9da6")
_ROOM = 0.8  # of the distance between two groups


def grouped_bars(
    groups: Sequence[str],
    bars: Mapping[str, Sequence[float | None]],
    up: str,
    level: tuple[str, float],
) -> bytes:
    """One bar a name in each group, as SVG.

    Args:
        groups: names of the groups, from left to right.
        bars: name in the legend to its value in each group; None leaves it out there.
        up: title of the vertical axis.
        level: name and height of a horizontal line.
    """
    figure = canvas(_WIDTH, _HEIGHT)
    axes = figure.subplots()
    for color, (name, values) in zip(cycle(_COLORS), bars.items(), strict=False):
        axes.bar([0], [0], color=color, label=name)
        for at, value in enumerate(values):
            if value is not None:
                there = [each for each, others in bars.items() if others[at] is not None]
                width = _ROOM / len(bars)
                left = at + (there.index(name) - (len(there) - 1) / 2) * width
                label = axes.bar(left, value, width, color=color)
                axes.bar_label(label, fmt="%.2f", fontsize=7)
    axes.axhline(level[1], color="#555", linewidth=1, linestyle=":", label=level[0])
    axes.set_xticks(range(len(groups)), groups, fontsize=8)
    axes.set_ylabel(up, fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    return rendered(figure, "svg")
