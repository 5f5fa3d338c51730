"""Models that differ in nothing but the seed that trained them: how far chance moves a figure."""

from __future__ import annotations

from statistics import fmean, stdev

from mixcon.audit import AttackRecord, ModelRecord, Report
from mixcon.reports._scales import scale_of
from mixcon.reports.summary import headline_metric, summarize

__all__ = ["by_defense", "over_seeds", "pooled", "seed_rows"]


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
    return first.model_copy(
        update={
            "name": f"{first.defense} ({len(models)} seeds)",
            "accuracy": fmean(model.accuracy for model in models),
            "floors": {
                name: _joined([model.floors[name] for model in models]) for name in first.floors
            },
            "attacks": [_pooled(list(group)) for group in attacks],
        }
    )


def _pooled(attacks: list[AttackRecord]) -> AttackRecord:
    update = {
        "seconds": sum(attack.seconds for attack in attacks),
        "leakage": _joined([attack.leakage for attack in attacks]),
    }
    return attacks[0].model_copy(update=update)


def _joined(columns: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    return {
        metric: [value for column in columns for value in column[metric]] for metric in columns[0]
    }


def seed_rows(report: Report) -> list[dict[str, str]]:
    """A dictionary per defense of several seeds, its figures as `over_seeds` writes them."""
    metric = headline_metric(report)
    label = scale_of(metric).label
    rows = []
    for defense, models in by_defense(report).items():
        found = [summarize(model, metric) for model in models]
        if len(found) < 2:
            continue
        row = {
            "Defense": defense,
            "Seeds": str(len(found)),
            "Accuracy (%)": over_seeds([100 * summary.accuracy for summary in found], 1),
        }
        best = [summary.best.mean for summary in found if summary.best]
        above = [summary.excess for summary in found if summary.excess is not None]
        if best and above:
            row[f"{label}, strongest per image"] = over_seeds(best, 3)
            row["Excess of strongest"] = over_seeds(above, 3)
        rows.append(row)
    return rows


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
