"""Figures: every number of a report, computed once; pages, tables, charts and words draw them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mixcon.audit import ModelRecord, Report
from mixcon.audit.reference_devices import EXPECTED
from mixcon.metrics import Metric, metric_named
from mixcon.reports.seeds import by_defense, pooled
from mixcon.reports.summary import Summary, headline_metric, summarize

__all__ = ["Calibration", "Defense", "Figures", "figures_of"]

TOLERANCE = 0.02
"""So far beyond the interval the right value of a calibration may lie."""


@dataclass(frozen=True)
class Calibration:
    """A device of which the right excess is known, attacked as the models are.

    Attributes:
        summary: what was measured.
        right: the right excess; None where the device is none of those that are known.
    """

    summary: Summary
    right: float | None

    @property
    def is_off(self) -> bool:
        """Whether the right value lies outside the interval, by more than a tolerance."""
        value = self.summary.excess
        if value is None or self.right is None:
            return False
        low, high = self.summary.interval or (value, value)
        return not low - TOLERANCE <= self.right <= high + TOLERANCE

    @property
    def fault(self) -> str:
        """What is wrong, as a clause."""
        low, high = self.summary.interval or (self.summary.excess, self.summary.excess)
        return (
            f"its calibration is off: the excess of {self.summary.model} is {self.right:.0f}, and "
            f"it measured {self.summary.excess:z.2f} [{low:z.2f}, {high:z.2f}]"
        )


@dataclass(frozen=True)
class Defense:
    """The models of one defense, which differ in their seed alone.

    Attributes:
        name: what it is called.
        models: one a seed.
        whole: their figures taken together; those of the model where there is one.
    """

    name: str
    models: tuple[Summary, ...]
    whole: Summary


@dataclass(frozen=True)
class Figures:
    """Everything that is shown of a report.

    Attributes:
        report: the records.
        metric: name of the headline's metric.
        scale: how it reads.
        models: one a model, in order.
        defenses: the same by defense.
        calibration: what shows whether the audit measures rightly.
    """

    report: Report
    metric: str
    scale: Metric
    models: tuple[Summary, ...]
    defenses: tuple[Defense, ...]
    calibration: tuple[Calibration, ...]

    @property
    def is_earlier(self) -> bool:
        """Whether a floor is the class mean alone, as in reports of earlier versions."""
        return any(each.evidence and each.evidence.guess is None for each in self.models)

    def of(self, model: ModelRecord) -> Summary:
        """The figures of one of the report's models."""
        return next(s for s, m in zip(self.models, self.report.models, strict=True) if m is model)


def figures_of(report: Report) -> Figures:
    """Compute all figures of a report.

    Raises:
        ConfigError: the report has no model, attacks without a common metric, or no floor.
    """
    metric = headline_metric(report)
    calibration = tuple(
        Calibration(summarize(each, metric), _right(each.name)) for each in report.calibration
    )
    faults = tuple(each.fault for each in calibration if each.is_off)
    models = tuple(_judged(summarize(each, metric), faults) for each in report.models)
    defenses = _defenses(report, metric, models)
    return Figures(report, metric, metric_named(metric), models, defenses, calibration)


def _right(name: str) -> float | None:
    return next((value for word, value in EXPECTED.items() if word in name.lower()), None)


def _judged(summary: Summary, faults: tuple[str, ...]) -> Summary:
    if summary.evidence is None or not faults:
        return summary
    evidence = summary.evidence.model_copy(update={"miscalibrated": faults})
    return replace(summary, evidence=evidence)


def _defenses(report: Report, metric: str, models: tuple[Summary, ...]) -> tuple[Defense, ...]:
    found = {id(m): s for m, s in zip(report.models, models, strict=True)}
    defenses = []
    for name, records in by_defense(report).items():
        own = tuple(found[id(record)] for record in records)
        whole = own[0] if len(own) == 1 else summarize(pooled(records), metric)
        defenses.append(Defense(name, own, whole))
    return tuple(defenses)
