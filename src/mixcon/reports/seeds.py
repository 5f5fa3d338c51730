"""Models that differ in nothing but the seed that trained them: how far chance moves a figure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import TypeVar

from mixcon.audit import AttackRecord, GuessRecord, ModelRecord, Report, SaturationRecord

__all__ = ["by_defense", "over_seeds", "pooled"]


Scored = TypeVar("Scored", AttackRecord, GuessRecord)


def by_defense(report: Report) -> dict[str, list[ModelRecord]]:
    """The models of each defense, in order; one that names no defense stands alone."""
    groups: dict[str, list[ModelRecord]] = {}
    for model in report.models:
        groups.setdefault(model.defense or model.name, []).append(model)
    return groups


def pooled(models: list[ModelRecord]) -> ModelRecord:
    """One record for several seeds: the mean accuracy, and the victims of all of them.

    Args:
        models: at least one, of one defense, attacked alike.
    """
    first = models[0]
    if len(models) == 1:
        return first
    attacks = zip(*(model.attacks for model in models), strict=True)
    guesses = zip(*(model.guesses for model in models), strict=True)
    return first.model_copy(
        update={
            "name": f"{first.defense} ({len(models)} seeds)",
            "accuracy": fmean(model.accuracy for model in models),
            "floors": {
                name: _joined([model.floors[name] for model in models]) for name in first.floors
            },
            "attacks": [
                _pooled(group, seconds=sum(attack.seconds for attack in group)) for group in attacks
            ],
            "guesses": [_pooled(group) for group in guesses],
            "bits": None,
            "saturation": _saturation(models),
        }
    )


def _pooled(records: Sequence[Scored], **update: float) -> Scored:
    """Victims of all seeds; each seed's attacker chooses by the mean score over seeds."""
    shared = set.intersection(*(set(record.auxiliary) for record in records))
    auxiliary = {
        metric: fmean(record.auxiliary[metric] for record in records) for metric in sorted(shared)
    }
    leakage = _joined([record.leakage for record in records])
    return records[0].model_copy(update={"leakage": leakage, "auxiliary": auxiliary, **update})


def _saturation(models: list[ModelRecord]) -> SaturationRecord | None:
    """That of the seed that is farthest from saturated."""
    found = [model.saturation for model in models if model.saturation]
    return min(found, key=lambda each: each.saturated) if len(found) == len(models) else None


def _joined(columns: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    return {
        metric: [value for column in columns for value in column[metric]] for metric in columns[0]
    }


def over_seeds(values: list[float], digits: int) -> str:
    """Mean ± standard deviation over training seeds, then the smallest and the largest value.

    The deviation divides by one less than the number of seeds.

    Example:
        >>> over_seeds([1.0, 3.0], 1)
        '2.0 ± 1.4 [1.0, 3.0]'
    """

    def text(value: float) -> str:
        return f"{value:z.{digits}f}"

    spread = f"{text(fmean(values))} ± {text(stdev(values))}"
    return f"{spread} [{text(min(values))}, {text(max(values))}]"
