"""Figures: every number of a report, computed once; pages, tables, charts and words draw them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from mixcon.audit import AttackRecord, ModelRecord, Report
from mixcon.audit.reference_devices import EXPECTED
from mixcon.evidence import slack
from mixcon.metrics import Metric, metric_named
from mixcon.reports.headline import LABEL_ONLY, best_attack
from mixcon.reports.seeds import by_defense, pooled
from mixcon.reports.summary import Summary, headline_metric, summarize

__all__ = ["Calibration", "Compared", "Cost", "Defense", "Figures", "figures_of"]

SHOWN = 9
"""So many inputs are drawn at most; odd, so that the middle one is the median."""

_CLASS_MEAN_ALONE = (
    "Floor: the class mean alone, as of an audit that is not thorough or of an earlier version. It "
    "is too low, so the excess looks too large."
)


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
        """Whether the right value lies outside the interval, by more than chance explains."""
        value = self.summary.excess
        if value is None or self.right is None:
            return False
        low, high = self.summary.interval or (value, value)
        beyond = slack((low, high))
        return not low - beyond <= self.right <= high + beyond

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
class Compared:
    """One model in one metric, whichever it is: means over the attacked inputs.

    Attributes:
        model: name of the model.
        metric: name of the metric.
        strongest: of the strongest attack for each input.
        class_mean: of the mean of the class; None where it was not measured, as below.
        nearest: of the nearest neighbor in z.
        copy: of an exact copy.
    """

    model: str
    metric: str
    strongest: float
    class_mean: float | None
    nearest: float | None
    copy: float | None


@dataclass(frozen=True)
class Cost:
    """What one attack with its settings took over all models.

    Attributes:
        attack: name of the attack.
        access: what the attacker may use.
        settings: its hyper-parameters, as text.
        models: how many models.
        seconds: wall time.
    """

    attack: str
    access: str
    settings: str
    models: int
    seconds: float


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
        attacks: names of all attacks, in the order in which the records first mention them.
        shown: which inputs are drawn, see `_shown`.
        compared: every model in every metric.
        costs: what every attack took.
    """

    report: Report
    metric: str
    scale: Metric
    models: tuple[Summary, ...]
    defenses: tuple[Defense, ...]
    calibration: tuple[Calibration, ...]
    attacks: tuple[str, ...]
    shown: tuple[int, ...]
    compared: tuple[Compared, ...]
    costs: tuple[Cost, ...]

    @property
    def thing(self) -> str:
        """What one input is called."""
        return self.report.models[0].kind or "image"

    @property
    def floor(self) -> float | None:
        """Mean of the label-only floors of the models."""
        floors = [summary.floor for summary in self.models if summary.floor is not None]
        return fmean(floors) if floors else None

    @property
    def floor_note(self) -> str:
        """That a floor is too low, where one is the class mean alone; else nothing."""
        alone = any(each.evidence and each.evidence.guess is None for each in self.models)
        return _CLASS_MEAN_ALONE if alone else ""

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
    names = dict.fromkeys(a.attack for model in report.models for a in model.attacks)
    return Figures(
        report,
        metric,
        metric_named(metric),
        models,
        _defenses(report, metric, models),
        calibration,
        attacks=tuple(names),
        shown=_shown([_over_models(report, name, metric) for name in names], metric),
        compared=tuple(_compared(report)),
        costs=_costs(report),
    )


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


def _over_models(report: Report, attack: str, metric: str) -> list[float]:
    """Mean over the models that were attacked so, input by input."""
    records = [a for model in report.models for a in model.attacks if a.attack == attack]
    columns = [record.leakage[metric] for record in records]
    return [fmean(values) for values in zip(*columns, strict=True)]


def _shown(attacks: Sequence[Sequence[float]], metric: str) -> tuple[int, ...]:
    """Positions of inputs from the best to the worst reconstructed, the median in the middle.

    They are ranked by the one attack that leaks most on average, by its mean over the models, so
    that every row shows the same inputs and no row shows its own favorites. They lie evenly in
    rank, both ends included.
    """
    if not attacks:
        return ()
    scale = metric_named(metric)
    strongest = scale.closest([fmean(scores) for scores in attacks])
    scores = next(scores for scores in attacks if fmean(scores) == strongest)
    ranked = sorted(range(len(scores)), key=scores.__getitem__, reverse=scale.higher_leaks)
    count = min(SHOWN, len(ranked))
    return tuple(ranked[round(i * (len(ranked) - 1) / max(count - 1, 1))] for i in range(count))


def _compared(report: Report) -> list[Compared]:
    return [
        Compared(
            model.name,
            metric,
            strongest=fmean(best_attack(model, metric)),
            class_mean=_floor(model, LABEL_ONLY, metric),
            nearest=_floor(model, "nearest-neighbor", metric),
            copy=report.ceiling.get(metric),
        )
        for model in report.models
        if model.attacks
        for metric in model.attacks[0].leakage
    ]


def _floor(model: ModelRecord, name: str, metric: str) -> float | None:
    values = model.floors.get(name, {}).get(metric)
    return fmean(values) if values else None


def _costs(report: Report) -> tuple[Cost, ...]:
    groups: dict[tuple[str, str, str], list[AttackRecord]] = {}
    for model in report.models:
        for attack in model.attacks:
            groups.setdefault((attack.attack, attack.access, _settings(attack)), []).append(attack)
    return tuple(
        Cost(*names, models=len(group), seconds=sum(attack.seconds for attack in group))
        for names, group in groups.items()
    )


def _settings(attack: AttackRecord) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in attack.settings.items())
