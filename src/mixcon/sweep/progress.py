"""Where a sweep stands, for those who watch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mixcon.sweep.records import Sweep, Trial

__all__ = ["OnProgress", "Phase", "SweepProgress"]

Phase: TypeAlias = Literal["search", "judge", "test", "seeds"]


@dataclass(frozen=True)
class SweepProgress:
    """Where a sweep stands.

    Attributes:
        phase: ``search``, ``judge`` (the strong attacks), ``test``, or ``seeds`` (the test with
            further training seeds).
        total: jobs of this phase.
        ended: how many of them ended, those of an earlier call included.
        running: how many are on their way.
        sweep: all trials so far.
        news: the trial that just ended, if one did.
    """

    phase: Phase
    total: int
    ended: int
    running: int
    sweep: Sweep
    news: Trial | None = None


OnProgress: TypeAlias = Callable[[SweepProgress], None]
