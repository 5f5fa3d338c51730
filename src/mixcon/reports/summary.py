"""Summary: the numbers behind every table, chart and verdict, computed from the records alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mixcon.audit import ModelRecord, Report
from mixcon.errors import ConfigError
from mixcon.evidence import Evidence
from mixcon.metrics import bootstrap_interval
from mixcon.reports._scales import HEADLINES, scale_of

__all__ = ["Spread", "Summary", "best_attack", "excess", "headline_metric", "spread", "summarize"]

LABEL_ONLY = "class-mean"
"""The floor of an attacker who knows only the class, which the prediction gives away anyway."""


@dataclass(frozen=True)
class Spread:
    """How one metric spreads over the attacked images, in the metric's own unit.

    Attributes:
        mean: mean over the images.
        std: standard deviation over the images (divided by N, so one image gives 0).
        worst: the value of the image that leaks most.
        p5: 5th percentile.
        p50: median.
        p95: 95th percentile.
    """

    mean: float
    std: float
    worst: float
    p5: float
    p50: float
    p95: float


@dataclass(frozen=True)
class Summary:
    """One model in one metric.

    Attributes:
        model: name of the model.
        accuracy: share of test images classified correctly, in [0, 1].
        attacks: attack name to its spread.
        best: spread of the strongest attack per image; None where no attack was run.
        floor: mean score of an attacker who knows only the class; None where no attack was run.
        excess: `excess` of the mean of `best` over `floor`; None where no attack was run.
        interval: 95 % bootstrap interval of the excess over the images; None where no attack was
            run.
        winners: attack name to the number of images on which it leaked most.
        evidence: what a gate judges the model by; None where no attack was run.
    """

    model: str
    accuracy: float
    attacks: dict[str, Spread]
    best: Spread | None
    floor: float | None
    excess: float | None
    interval: tuple[float, float] | None = None
    winners: dict[str, int] = field(default_factory=dict)
    evidence: Evidence | None = None


def spread(values: Sequence[float], metric: str = "ssim") -> Spread:
    """Summarize one value per attacked image.

    Args:
        values: one value per image, at least one, no NaN.
        metric: name of the metric, which says whether the highest or the lowest leaks most.

    Raises:
        ConfigError: there are no values, or one is NaN.
    """
    if not values or any(math.isnan(value) for value in values):
        raise ConfigError(
            f"expected at least one {metric} value and no NaN but got {len(values)} values, "
            f"{sum(map(math.isnan, values))} of them NaN; repeat the attack that gave them"
        )
    p5, p50, p95 = (float(value) for value in np.percentile(values, [5, 50, 95]))
    worst = scale_of(metric).closest(list(values))
    return Spread(float(np.mean(values)), float(np.std(values)), worst, p5, p50, p95)


def best_attack(model: ModelRecord, metric: str = "ssim") -> list[float]:
    """Leakage of the strongest attack per image: the maximum over attacks, image by image.

    This is the headline figure. The mean of one attack understates what an attacker gets who
    may run them all. For an error such as ``mse`` it is the minimum.

    Args:
        model: a model with at least one attack that reports the metric.
        metric: name of the metric.

    Returns:
        One value per attacked image, in the order of the gallery.

    Raises:
        ConfigError: no attack reports the metric, or they attacked different numbers of images.
    """
    columns = [a.leakage[metric] for a in model.attacks if metric in a.leakage]
    if len({len(column) for column in columns}) != 1:
        raise ConfigError(
            f"expected the attacks on {model.name!r} to report {metric!r} for the same images "
            f"but got {[len(column) for column in columns]} values; run them on one set of images"
        )
    closest = scale_of(metric).closest
    return [closest(list(values)) for values in zip(*columns, strict=True)]


def excess(leakage: float, floor: float, perfect: float = 1.0) -> float:
    """Leakage beyond a floor, as a share of the way from the floor to an exact copy.

    Args:
        leakage: mean leakage of an attack.
        floor: mean leakage of a guess without z, in the same metric.
        perfect: what an exact copy scores: 1 for SSIM, 0 for the mean squared error.

    Returns:
        (leakage - floor) / (perfect - floor): 1 is an exact copy, 0 no better than the floor,
        and less than 0 worse than the floor. It is 0 where the floor is already perfect.
    """
    return 0.0 if floor == perfect else (leakage - floor) / (perfect - floor)


def headline_metric(report: Report) -> str:
    """The metric that the report's verdict rests on.

    Returns:
        The first of ``ssim``, ``mse`` and ``cosine`` that every attack on every model reports;
        ``ssim`` where no attack was run.

    Raises:
        ConfigError: the report has no model, or its attacks share none of these.
    """
    if not report.models:
        raise ConfigError("expected a report on at least one model but got none")
    reported = [set(attack.leakage) for model in report.models for attack in model.attacks]
    for metric in HEADLINES:
        if all(metric in names for names in reported):
            return metric
    raise ConfigError(
        f"expected one of {', '.join(HEADLINES)} to be reported by every attack but got "
        f"{sorted(set.union(*reported))}; measure one of them for all"
    )


def summarize(model: ModelRecord, metric: str = "ssim") -> Summary:
    """Summarize one model in one metric.

    Raises:
        ConfigError: the attacks do not report the metric, or the label-only floor is missing.
    """
    attacks = {
        a.attack: spread(a.leakage[metric], metric) for a in model.attacks if metric in a.leakage
    }
    if not model.attacks:
        return Summary(model.name, model.accuracy, attacks, None, None, None)
    values = best_attack(model, metric)
    best, floor = spread(values, metric), _label_only(model, metric)
    perfect = scale_of(metric).perfect
    above = excess(best.mean, floor, perfect)
    interval = _interval(values, model.floors[LABEL_ONLY][metric], perfect)
    winners = _winners(model, metric, values)
    effort = model.effort
    evidence = Evidence(
        attacks=tuple(attacks),
        victims=len(values),
        metric=metric,
        leakage=best.mean,
        floor=floor,
        excess=above,
        accuracy=model.accuracy,
        interval=interval,
        thorough=effort.thorough if effort else None,
        budget=effort.budget if effort else None,
        missing=tuple(effort.missing) if effort else (),
        chance=model.chance,
    )
    return Summary(
        model.name, model.accuracy, attacks, best, floor, above, interval, winners, evidence
    )


def _interval(best: list[float], floor: list[float], perfect: float) -> tuple[float, float] | None:
    if len(best) < 2:
        return None

    def statistic(b: Any, f: Any) -> Any:
        far = perfect - f.mean(-1)
        return (b.mean(-1) - f.mean(-1)) / np.where(far == 0, np.inf, far)

    return bootstrap_interval(statistic, best, floor)


def _winners(model: ModelRecord, metric: str, best: list[float]) -> dict[str, int]:
    """The first attack that reached the best value, image by image, counted."""
    first = [
        next(a.attack for a in model.attacks if a.leakage.get(metric, [None] * len(best))[i] == top)
        for i, top in enumerate(best)
    ]
    return dict(Counter(first).most_common())


def _label_only(model: ModelRecord, metric: str) -> float:
    values = model.floors.get(LABEL_ONLY, {}).get(metric, [])
    if not values:
        raise ConfigError(
            f"expected the floor {LABEL_ONLY!r} of {model.name!r} in {metric!r} but got the "
            f"floors {sorted(model.floors)}; leakage means nothing without it, so measure it too"
        )
    return spread(values, metric).mean
