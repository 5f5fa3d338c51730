"""Summary: the numbers behind every table, chart and verdict, computed from the records alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np

from mixcon.audit import BitsRecord, ModelRecord, Report, SaturationRecord
from mixcon.errors import ConfigError
from mixcon.evidence import Evidence
from mixcon.metrics import metric_named
from mixcon.reports.headline import Excess, best_attack, headline, named, overlooked, per_image

__all__ = ["Spread", "Summary", "headline_metric", "headlines", "spread", "summarize"]

_HEADLINES = ("ssim", "mse", "cosine")
"""Of reports that do not say of what kind their inputs are; see `Kind.headlines`."""


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
        best: spread of the strongest attack per image. This and the next four are None where no
            attack was run.
        leakage: mean of the headline's attack.
        floor: mean of the headline's guess.
        found: the headline excess, see `headline`.
        evidence: what a gate judges the model by.
        beside: the excess per image, see `per_image`.
        named: how often an input is named among others of its class.
        strongest: value of the strongest attack, input by input.
        winners: attack name to the number of images on which it leaked most.
        saturation: whether stronger attacks are to be expected.
        bits: what is proved.
    """

    model: str
    accuracy: float
    attacks: dict[str, Spread]
    best: Spread | None = None
    leakage: float | None = None
    floor: float | None = None
    found: Excess | None = None
    evidence: Evidence | None = None
    beside: Excess | None = None
    named: Excess | None = None
    strongest: tuple[float, ...] = ()
    winners: dict[str, int] = field(default_factory=dict)
    saturation: SaturationRecord | None = None
    bits: BitsRecord | None = None

    @property
    def chosen(self) -> str | None:
        """The headline's attack; where none was chosen, the one that was best on most inputs."""
        own = self.found.attack if self.found else None
        return own or next(iter(self.winners), None)

    @property
    def excess(self) -> float | None:
        """The headline excess; None where no attack was run."""
        return self.found.value if self.found else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % bootstrap interval over the images."""
        return self.found.interval if self.found else None

    @property
    def tells_apart(self) -> bool:
        """See `Evidence.tells_apart`."""
        return self.evidence is not None and self.evidence.tells_apart


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
    worst = metric_named(metric).closest(values)
    return Spread(float(np.mean(values)), float(np.std(values)), worst, p5, p50, p95)


def headlines(model: ModelRecord) -> tuple[str, ...]:
    """Metrics that a verdict on a model can rest on, the preferred one first."""
    return model.kind.headlines if model.kind else _HEADLINES


def headline_metric(report: Report) -> str:
    """The metric that the report's verdict rests on.

    Returns:
        The first of `Kind.headlines` that every attack on every model reports, or the very first
        where no attack was run.

    Raises:
        ConfigError: the report has no model, or its attacks share none of these.
    """
    if not report.models:
        raise ConfigError("expected a report on at least one model but got none")
    reported = [set(attack.leakage) for model in report.models for attack in model.attacks]
    wanted = headlines(report.models[0])
    for metric in wanted:
        if all(metric in names for names in reported):
            return metric
    raise ConfigError(
        f"expected one of {', '.join(wanted)} to be reported by every attack but got "
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
        return Summary(model.name, model.accuracy, attacks, bits=model.bits)
    strongest = best_attack(model, metric)
    found, beside = headline(model, metric), per_image(model, metric)
    summary = Summary(
        model.name,
        model.accuracy,
        attacks,
        best=spread(strongest, metric),
        leakage=fmean(found.leakage),
        floor=fmean(found.floor),
        found=found,
        beside=beside,
        named=named(model, found),
        strongest=tuple(strongest),
        winners=_winners(model, metric, strongest),
        saturation=model.saturation,
        bits=model.bits,
    )
    return replace(summary, evidence=_evidence(model, summary, found))


def _evidence(model: ModelRecord, summary: Summary, found: Excess) -> Evidence:
    effort, beside, apart = model.effort, summary.beside, summary.named
    ahead = overlooked(model, found) or (apart and overlooked(model, apart))
    return Evidence(
        attacks=tuple(summary.attacks),
        victims=len(found.leakage),
        metric=found.metric,
        leakage=fmean(found.leakage),
        floor=fmean(found.floor),
        excess=found.value,
        interval=found.interval,
        accuracy=model.accuracy,
        thorough=effort.thorough if effort else None,
        budget=effort.budget if effort else None,
        missing=tuple(effort.missing) if effort else (),
        shortened=tuple(effort.shortened) if effort else (),
        chance=model.chance,
        guess=found.guess,
        per_image=beside.value if beside else None,
        per_image_interval=beside.interval if beside else None,
        named=apart.value if apart else None,
        named_interval=apart.interval if apart else None,
        saturated=model.saturation.saturated if model.saturation else None,
        maximal_leakage=model.bits.maximal_leakage if model.bits else None,
        overlooked=ahead.attack if ahead else None,
    )


def _winners(model: ModelRecord, metric: str, best: list[float]) -> dict[str, int]:
    """The first attack that reached the best value, image by image, counted."""
    first = [
        next(a.attack for a in model.attacks if a.leakage.get(metric, [None] * len(best))[i] == top)
        for i, top in enumerate(best)
    ]
    return dict(Counter(first).most_common())
