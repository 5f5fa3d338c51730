"""Whether settings come in the same order as in the paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from mixcon.paper._experiment import Row

__all__ = ["Ordering", "orderings"]


@dataclass(frozen=True)
class Ordering:
    """The order of all settings in one quantity.

    Attributes:
        group: the data set.
        quantity: what was measured.
        paper: the paper's order, largest first, e.g. ``vanilla > MixCon (1, 1e-4)``.
        pairs: for each two settings that differ in the paper, whether our means differ likewise.
        seeds: for each seed by itself whether all of them do.
        strongest: `pairs` under the strongest attack; None where nothing is attacked.
    """

    group: str
    quantity: str
    paper: str
    pairs: list[bool]
    seeds: list[bool]
    strongest: list[bool] | None

    @property
    def holds(self) -> bool:
        """Whether our means come in the paper's order; what the paper has equal may differ."""
        return all(self.pairs)


def orderings(rows: Sequence[Row]) -> dict[tuple[str, str], Ordering]:
    """Group and quantity to ordering, wherever the paper prints two different numbers."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.ordered and row.paper is not None:
            groups.setdefault((row.group, row.quantity), []).append(row)
    return {
        key: _ordering(group)
        for key, group in groups.items()
        if len({row.paper for row in group}) > 1
    }


def _ordering(rows: list[Row]) -> Ordering:
    paper = [row.paper or 0.0 for row in rows]
    strongest = [fmean(row.strongest) for row in rows if row.strongest]
    return Ordering(
        group=rows[0].group,
        quantity=rows[0].quantity,
        paper=_in_words(rows),
        pairs=_concordant(paper, [fmean(row.ours) for row in rows]),
        seeds=[all(_concordant(paper, ours)) for ours in zip(*(r.ours for r in rows), strict=True)],
        strongest=_concordant(paper, strongest) if len(strongest) == len(rows) else None,
    )


def _concordant(paper: Sequence[float], ours: Sequence[float]) -> list[bool]:
    """Whether what is larger in the paper is larger here, pair by pair."""
    pairs = [(i, j) for i in range(len(paper)) for j in range(len(paper)) if paper[i] > paper[j]]
    return [ours[i] > ours[j] for i, j in pairs]


def _in_words(rows: list[Row]) -> str:
    ranked = sorted(rows, key=lambda row: row.paper or 0.0, reverse=True)
    words = ranked[0].setting
    for before, row in pairwise(ranked):
        words += f"{' = ' if row.paper == before.paper else ' > '}{row.setting}"
    return words
