"""Where an audit stands: the share of all its work, which is known before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from mixcon._clock import TimeLimit, time_limit
from mixcon.attacks.base import OnStep

__all__ = ["TUNING", "AuditProgress", "OnProgress", "Phases"]

TUNING = 0.4  # about the share of an attack's time that goes into the choice of its settings


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
    """The phases of an audit, one after the other, each with its share of the time.

    Args:
        weights: about the seconds that each takes, by model and phase, in order.
        on_progress: told where the audit stands, at the start and at each step of each phase.
        seconds: for all of them together, if that is limited.

    Attributes:
        cut: the phases that time stopped before their last step.
    """

    def __init__(
        self,
        weights: Mapping[tuple[str, str], float],
        on_progress: OnProgress,
        seconds: float | None = None,
    ) -> None:
        self._weights, self._on_progress, self._highest = dict(weights), on_progress, 0.0
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._open, self._limit = ExitStack(), TimeLimit(0.0)
        self._at, self.cut = ("", ""), list[tuple[str, str]]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def begin(self, model: str, phase: str) -> OnStep:
        """Say that a phase begins, and the one before ends; told the share of it that is done.

        Of the time that is left a phase gets as much as its weight is of all that are still to
        come.
        """
        self._close()
        weight, whole = self._weights[model, phase], sum(self._weights.values())
        planned = list(self._weights)
        place = planned.index((model, phase))
        before = sum(self._weights[key] for key in planned[:place])
        if self._ends is not None:
            left, ahead = max(0.0, self._ends - time.monotonic()), max(whole - before, 1e-9)
            self._limit = self._open.enter_context(time_limit(left * weight / ahead))
        self._at = (model, phase)

        def report(share: float) -> None:
            done = (before + weight * share) / whole
            self._highest = min(1.0, max(self._highest, done))
            self._on_progress(AuditProgress(model, phase, share, self._highest))

        report(0.0)
        return report

    def _close(self) -> None:
        self._open.close()
        if self._limit.cut:
            self.cut.append(self._at)
        self._limit = TimeLimit(0.0)
