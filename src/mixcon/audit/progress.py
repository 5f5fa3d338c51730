"""Where an audit stands: the share of all its work, which is known before it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from statistics import fmean
from typing import Any

from mixcon.attacks import Attack
from mixcon.attacks.base import OnStep
from mixcon.progress import Plan

__all__ = ["CALIBRATION", "TUNING", "AuditProgress", "OnProgress", "Phases", "expected_seconds"]

CALIBRATION = "calibration"
"""What stands for the model while devices of known leakage are attacked."""

TUNING = 0.4  # about the share of an attack's time that goes into the choice of its settings

# About the seconds that each phase takes on two CPU cores, for 100 images of 28 x 28 pixels.
_ATTACKS = {
    "averaged": 5.0,
    "decoder": 120.0,
    "deep-prior": 40.0,
    "gan-decoder": 120.0,
    "gauss-newton": 30.0,
    "posterior": 15.0,
    "query": 120.0,
    "query-free": 120.0,
    "refined": 50.0,
    "rmle": 20.0,
}
_ATTACK = 5.0  # any other
_MEASURES = {"accuracy": 3.0, "floors": 3.0}
_EXAMINATIONS = {
    "guesses": 5.0,
    "label leakage": 7.0,
    "bound": 1.0,
}
_CALIBRATION = 30.0
_BITS = 5.0
_MASKING, _SATURATION = 1.5, 0.5  # of the time of the attack that is repeated
_PREPARATION, _RECOGNIZER = 2.0, 45.0


@dataclass(frozen=True)
class AuditProgress:
    """Where an audit stands.

    Attributes:
        model: the model at hand; empty where the work is for all of them.
        phase: what is being done: the name of an attack, say.
        share: of the phase that is done, in [0, 1].
        done: share of the whole audit that is done, in [0, 1]; never falls.
    """

    model: str
    phase: str
    share: float
    done: float


OnProgress = Callable[[AuditProgress], None]


class Phases:
    """The phases of an audit, each with a weight by the time that it is likely to take.

    Args:
        models: names of the models.
        attacks: what each of them is attacked with.
        thorough: whether the audit is thorough.
        judged: whether a recognizer is to be trained.
        on_progress: told where the audit stands, at the start and at each step of each phase.
    """

    def __init__(
        self,
        models: Sequence[str],
        attacks: Sequence[Attack[Any]],
        *,
        thorough: bool,
        judged: bool,
        on_progress: OnProgress,
    ) -> None:
        each = dict(_phases(attacks, thorough=thorough))
        weights = {("", "preparation"): _PREPARATION}
        weights |= {("", "recognizer"): _RECOGNIZER} if judged else {}
        weights |= {(model, phase): each[phase] for model in models for phase in each}
        weights |= {(CALIBRATION, "attacks"): _CALIBRATION} if thorough else {}
        self._plan = Plan({**weights, ("", "summary"): 0.0})
        self._on_progress = on_progress

    def begin(self, model: str, phase: str) -> OnStep:
        """Say that a phase begins; the result is told the share of it that is done."""
        self._plan.begin((model, phase))

        def report(share: float) -> None:
            done = self._plan.report((model, phase), share)
            self._on_progress(AuditProgress(model, phase, share, done))

        report(0.0)
        return report


def expected_seconds(attacks: Sequence[Attack[Any]], *, thorough: bool) -> float:
    """About how long the audit of one model takes on two CPU cores, without a recognizer."""
    return sum(weight for _, weight in _phases(attacks, thorough=thorough))


def _phases(attacks: Sequence[Attack[Any]], *, thorough: bool) -> Iterator[tuple[str, float]]:
    """The phases of one model, and the weight of each."""
    for attack in attacks:
        yield attack.name, _weight(attack, thorough=thorough)
    yield from _MEASURES.items()
    if thorough:
        yield from _EXAMINATIONS.items()
        alone = {attack.name: _weight(attack, thorough=False) for attack in attacks}
        yield "masking", _MASKING * alone.get("rmle", 0.0)
        yield "bits", _BITS
        yield "saturation", _SATURATION * max(alone.values(), default=0.0)


def _weight(attack: Attack[Any], *, thorough: bool) -> float:
    tuned = thorough and bool(attack.candidates())
    return _ATTACKS.get(attack.name, _ATTACK) * _length(attack) / (1 - TUNING * tuned)


def _length(attack: Attack[Any]) -> float:
    """How many times the steps of its default an attack takes."""
    counts = [f for f in fields(attack) if f.name.endswith("steps")]
    ratios = [getattr(attack, f.name) / f.default for f in counts if f.default not in (MISSING, 0)]
    return fmean(ratios) if ratios else 1.0
