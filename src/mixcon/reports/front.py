"""Fronts: which models no other beats in both utility and leakage, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from mixcon.audit import ModelRecord
from mixcon.errors import ConfigError
from mixcon.reports.headline import LABEL_ONLY, headline
from mixcon.reports.summary import headlines

__all__ = [
    "Interval",
    "Point",
    "excess_of",
    "hypervolume",
    "intervals",
    "metric_of",
    "pareto",
    "upper_excess_of",
]

Point: TypeAlias = tuple[float, float]
"""Accuracy in [0, 1], and excess leakage."""

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Interval:
    """A bootstrap percentile interval of 95 %."""

    low: float
    high: float


def pareto(points: Sequence[Point]) -> list[int]:
    """Positions of the points that no other beats, from the highest accuracy to the lowest.

    One point beats another if it is no worse in accuracy and in excess, and better in one. Of
    equal points the first counts.
    """
    order = sorted(range(len(points)), key=lambda i: (-points[i][0], points[i][1]))
    front: list[int] = []
    for i in order:
        if not front or points[i][1] < points[front[-1]][1]:
            front.append(i)
    return front


def hypervolume(points: Sequence[Point]) -> float:
    """Share of the unit square that the points beat: 1 is full accuracy without excess leakage.

    The square's worst corner, the reference point, is an accuracy of 0 with an excess of 1. An
    excess below 0 counts as 0.

    Source: Zitzler and Thiele, Multiobjective evolutionary algorithms, 1999.

    Example:
        >>> hypervolume([(0.9, 0.5), (0.6, 0.0)])
        0.75
    """
    clipped = [(min(max(a, 0.0), 1.0), min(max(e, 0.0), 1.0)) for a, e in points]
    total, above = 0.0, 1.0
    for i in pareto(clipped):
        accuracy, excess = clipped[i]
        total += accuracy * (above - excess)
        above = excess
    return total


def metric_of(model: ModelRecord) -> str:
    """The metric that leakage is measured in, see `Kind.headlines`."""
    return next(metric for metric in headlines(model) if metric in model.floors[LABEL_ONLY])


def excess_of(model: ModelRecord) -> float | None:
    """The headline excess, see `headline`; None if not attacked."""
    return headline(model, metric_of(model)).value if model.attacks else None


def upper_excess_of(model: ModelRecord) -> float | None:
    """The upper end of the 95 % interval of the headline excess, which limits are judged by.

    With one victim there is no interval, and the excess stands for it; None if not attacked.
    """
    if not model.attacks:
        return None
    found = headline(model, metric_of(model))
    return found.interval[1] if found.interval else found.value


def intervals(model: ModelRecord, seed: int = 0) -> tuple[Interval, Interval]:
    """Intervals of accuracy and excess, over the images that they were measured on.

    Images are drawn anew with replacement; the attacked ones with the floor that belongs to them.

    Raises:
        ConfigError: the model was not attacked.

    Source: Efron, Bootstrap methods: another look at the jackknife, 1979.
    """
    if not model.attacks:
        raise ConfigError(f"expected an attacked model, but {model.name} was not")
    generator = np.random.default_rng(seed)
    # Hits of resampled test images are binomial: no list of single hits is needed.
    hits = generator.binomial(model.test_images, model.accuracy, _RESAMPLES) / model.test_images
    low, high = np.percentile(hits, [2.5, 97.5])
    found = headline(model, metric_of(model))
    ends = found.interval or (found.value, found.value)
    return Interval(float(low), float(high)), Interval(*ends)
