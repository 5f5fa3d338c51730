"""Where an audit stands: the share of all its work, which is known before it begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Self

from mixcon._clock import TimeLimit, time_limit
from mixcon.attacks.base import OnStep
from mixcon.progress import Plan as ProgressPlan

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
        self._weights, self._plan = dict(weights), ProgressPlan(weights)
        self._on_progress = on_progress
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
        self._plan.begin((model, phase))
        if self._ends is not None:
            planned = list(self._weights)
            ahead = sum(self._weights[key] for key in planned[planned.index((model, phase)) :])
            left = max(0.0, self._ends - time.monotonic())
            share = self._weights[model, phase] / max(ahead, 1e-9)
            self._limit = self._open.enter_context(time_limit(left * share))
        self._at = (model, phase)

        def report(share: float) -> None:
            done = self._plan.report((model, phase), share)
            self._on_progress(AuditProgress(model, phase, share, done))

        report(0.0)
        return report

    def _close(self) -> None:
        self._open.close()
        if self._limit.cut:
            self.cut.append(self._at)
        self._limit = TimeLimit(0.0)
