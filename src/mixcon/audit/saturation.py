"""Are stronger attacks to be expected?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from mixcon.attacks import Attack
from mixcon.audit.records import AttackRecord, SaturationRecord
from mixcon.metrics import metric_named

__all__ = ["saturation"]

_NOTHING = 0.01  # a share of the way from the worst score to an exact copy that counts as none


def saturation(
    chosen: Sequence[Attack[Any]],
    measured: Sequence[AttackRecord],
    again: Callable[[Attack[Any]], dict[str, list[float]]],
    *,
    metric: str,
    worst: float = 0.0,
) -> SaturationRecord | None:
    """Look at the attack that did best on auxiliary samples, and at the best of another family.

    Args:
        chosen: the attacks, their settings chosen.
        measured: their records, in the same order.
        again: runs an attack with half of its steps: the metrics of what it finds.
        metric: what they are compared in, one with a finite score of an exact copy.
        worst: the score that counts as nothing: 0 of a similarity, of an error that of a guess.

    Returns:
        None where no attack was scored on auxiliary samples.
    """
    if not measured or any(metric not in record.auxiliary for record in measured):
        return None
    scale = metric_named(metric)
    pairs = sorted(
        zip(chosen, measured, strict=True),
        key=lambda pair: pair[1].auxiliary[metric],
        reverse=scale.higher_leaks,
    )
    best, record = pairs[0]
    others = [r for a, r in pairs if a.family not in (best.family, "mixed")]
    if best.family == "mixed":
        others = [r for a, r in pairs[1:] if a.family != "mixed"][:1]

    def gain(over: Sequence[float]) -> float:
        return (fmean(record.leakage[metric]) - fmean(over)) / ((scale.perfect - worst) or 1.0)

    doubling = families = None
    if any(name.endswith("steps") for name in best.settings):
        doubling = gain(again(best)[metric])
    if others:
        families = gain(others[0].leakage[metric])
    gaps = [abs(gap) for gap in (doubling, families) if gap is not None]
    full = doubling is not None and families is not None
    return SaturationRecord(
        doubling=doubling, families=families, saturated=full and max(gaps) <= _NOTHING
    )
