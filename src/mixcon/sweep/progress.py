"""Where a sweep stands: the share of all its work, by a plan that is made before it begins."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from mixcon.attacks import Attack
from mixcon.audit import expected_seconds
from mixcon.progress import Plan
from mixcon.sweep.config import SweepConfig
from mixcon.sweep.judgments import StageName
from mixcon.sweep.records import Sweep, Trial
from mixcon.training import TrainConfig

__all__ = ["JobProgress", "OnProgress", "Phase", "SweepPlan", "SweepProgress", "training_seconds"]

Phase: TypeAlias = Literal["search", "judge", "test", "seeds"]

_SAMPLES_A_SECOND = 5000.0  # about what LeNet-5 learns from on two CPU cores, images of 28 x 28


@dataclass(frozen=True)
class JobProgress:
    """Where a job stands: what is being done, and the share of the job that is."""

    what: str
    share: float


@dataclass(frozen=True)
class SweepProgress:
    """Where a sweep stands.

    Attributes:
        phase: ``search``, ``judge`` (the strong attacks), ``test``, or ``seeds`` (the test with
            further training seeds).
        done: share of the whole sweep that is done, in [0, 1]; never falls.
        total: jobs of this phase, as far as they are known.
        ended: how many of them ended, those of an earlier call included.
        running: how many are on their way.
        jobs: where these stand, as far as they say.
        sweep: all trials so far.
        news: the trial that just ended, if one did.
    """

    phase: Phase
    done: float
    total: int
    ended: int
    running: int
    jobs: Sequence[JobProgress]
    sweep: Sweep
    news: Trial | None = None


OnProgress: TypeAlias = Callable[[SweepProgress], None]


class SweepPlan:
    """The phases of a sweep, each with a weight by the work that is to be expected.

    How many trials the strong attacks and the test set will see is not known before the search
    ends. Until then the plan holds the size that the front of so many random trials has in the
    mean; with limits, the one choice is tested.
    """

    def __init__(
        self,
        config: SweepConfig,
        samples: int,
        attacks: Mapping[StageName, Sequence[Attack[Any]]],
        *,
        limited: bool,
    ) -> None:
        """Plan.

        Args:
            config: what is searched.
            samples: how many training samples there are.
            attacks: what each judgment attacks with.
            limited: whether one trial is chosen, and not the front.
        """
        seconds = {stage: expected_seconds(own, thorough=False) for stage, own in attacks.items()}
        training = training_seconds(config.base, samples)
        self._each: dict[Phase, float] = {
            "search": training + seconds["cheap"],
            "judge": seconds["strong"],
            "test": seconds["test"],
            "seeds": training + seconds["test"],
        }
        trials = sum(config.budget.values())
        front = _front_size(trials)
        tested = 1 + (1 if limited else front)  # the undefended network, too
        counts: dict[Phase, int] = {
            "search": trials,
            "judge": front,
            "test": tested,
            "seeds": tested * len(config.further_seeds),
        }
        self._plan = Plan({phase: self._each[phase] * counts[phase] for phase in self._each})

    def begin(self, phase: Phase, total: int) -> None:
        """Say that a phase begins, and how many jobs it has."""
        self._plan.begin(phase, self._each[phase] * total)

    def report(self, phase: Phase, share: float) -> float:
        """The share of the whole sweep that is done, from that of a phase."""
        return self._plan.report(phase, share)


def training_seconds(config: TrainConfig, samples: int) -> float:
    """About how long training takes on two CPU cores."""
    return config.epochs * samples / _SAMPLES_A_SECOND


def _front_size(trials: int) -> int:
    """How many of so many random points no other beats in two respects, in the mean.

    Source: Bentley et al., On the average number of maxima in a set of vectors, 1978.
    """
    return math.ceil(sum(1 / k for k in range(1, trials + 1)))
