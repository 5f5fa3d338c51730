"""Are stronger attacks to be expected?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from mixcon.attacks import Attack
from mixcon.audit.records import AttackRecord, SaturationRecord

__all__ = ["saturation"]

_NOTHING = 0.01  # a difference in SSIM, or in cosine similarity, that counts as none
_METRICS = ("ssim", "cosine")


def saturation(
    chosen: Sequence[Attack[Any]],
    measured: Sequence[AttackRecord],
    again: Callable[[Attack[Any]], dict[str, list[float]]],
) -> SaturationRecord | None:
    """Look at the attack that did best on auxiliary samples, and at the best of another family.

    Args:
        chosen: the attacks, their settings chosen.
        measured: their records, in the same order.
        again: runs an attack with half of its steps: the metrics of what it finds.

    Returns:
        None where no attack was scored on auxiliary samples.
    """
    metric = next((m for m in _METRICS if all(m in r.auxiliary for r in measured)), None)
    if metric is None or not measured:
        return None
    pairs = sorted(
        zip(chosen, measured, strict=True), key=lambda pair: pair[1].auxiliary[metric], reverse=True
    )
    best, record = pairs[0]
    others = [r for a, r in pairs if a.family not in (best.family, "mixed")]
    if best.family == "mixed":
        others = [r for a, r in pairs[1:] if a.family != "mixed"][:1]
    doubling = families = None
    mean = fmean(record.leakage[metric])
    if any(name.endswith("steps") for name in best.settings):
        doubling = mean - fmean(again(best)[metric])
    if others:
        families = mean - fmean(others[0].leakage[metric])
    gaps = [abs(gap) for gap in (doubling, families) if gap is not None]
    full = doubling is not None and families is not None
    return SaturationRecord(
        doubling=doubling, families=families, saturated=full and max(gaps) <= _NOTHING
    )
