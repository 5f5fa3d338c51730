"""Search over readings of what the paper leaves open, by how far ours are from its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import fmean
from typing import Any

from mixcon.paper._experiment import Row

__all__ = ["FORMULA", "Reading", "Search", "deviations", "in_words"]

Reading = Mapping[str, Any]
"""Axis to value: one way to fill in all that the paper leaves open."""

FORMULA = (
    "The score of a reading is the mean, over all numbers and seeds, of |ours - paper| / paper, at "
    "most 1 for each; the least is best."
)


def deviations(rows: Sequence[Row]) -> list[float]:
    """The score of each seed by itself, in [0, 1].

    A number that the paper has at 0 counts as it is; one that is not finite counts as 1.
    """
    seeds = zip(*([_deviation(row.paper, ours) for ours in row.ours] for row in rows), strict=True)
    return [fmean(seed) for seed in seeds]


def _deviation(paper: float | None, ours: float) -> float:
    if paper is None or not math.isfinite(ours):
        return 1.0
    return min(1.0, abs(ours - paper) / (paper or 1.0))


def in_words(reading: Reading) -> str:
    """All axes with their values."""
    return ", ".join(f"{axis} {value}" for axis, value in reading.items())


@dataclass
class Search:
    """Readings that were tried, each once.

    Attributes:
        measure: reading to its rows, every one with a number of the paper.
        on_try: called after each new reading with how many were tried.
        tried: reading in words to the reading and its rows, in the order of the search.
    """

    measure: Callable[[Reading], list[Row]]
    on_try: Callable[[int], None] = lambda _: None
    tried: dict[str, tuple[Reading, list[Row]]] = field(default_factory=dict)

    def rows(self, reading: Reading) -> list[Row]:
        """What a reading gives."""
        name = in_words(reading)
        if name not in self.tried:
            self.tried[name] = (reading, self.measure(reading))
            self.on_try(len(self.tried))
        return self.tried[name][1]

    def score(self, reading: Reading) -> float:
        """Its score, over all seeds."""
        return fmean(deviations(self.rows(reading)))

    def grid(self, start: Reading, axes: Mapping[str, Sequence[Any]]) -> Reading:
        """The best of all combinations of these axes, the others as in `start`."""
        return min(_combinations(start, axes), key=self.score)

    def descend(self, start: Reading, axes: Mapping[str, Sequence[Any]]) -> Reading:
        """One axis after the other, the best value of each kept; a tie keeps what was there."""
        best = start
        for axis, values in axes.items():
            best = min([best, *_combinations(best, {axis: values})], key=self.score)
        return best


def _combinations(start: Reading, axes: Mapping[str, Sequence[Any]]) -> Iterator[Reading]:
    for values in product(*axes.values()):
        yield {**start, **dict(zip(axes, values, strict=True))}
