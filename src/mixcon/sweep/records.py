"""What a sweep hands on: its trials, and what came of each. Read from the sweep's folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from mixcon.audit import ModelRecord
from mixcon.reports import Point, excess_of, hypervolume, pareto, upper_excess_of
from mixcon.sweep.config import SweepConfig
from mixcon.training import TrainConfig

__all__ = ["Sweep", "Trial"]


@dataclass(frozen=True)
class Trial:
    """One config that was tried.

    Attributes:
        name: its name, and that of its folder.
        defense: the defense it belongs to.
        config: what was trained.
        folder: its run folder.
        cheap: judgment on the held-out part, by the cheap attacks.
        strong: the same by the strong attacks; None far from the front.
        test: judgment on the test set; None outside of the front.
        reason: why it failed, if it did.
    """

    name: str
    defense: str
    config: TrainConfig
    folder: Path
    cheap: ModelRecord | None = field(default=None, repr=False)
    strong: ModelRecord | None = field(default=None, repr=False)
    test: ModelRecord | None = field(default=None, repr=False)
    reason: str | None = None

    @property
    def state(self) -> Literal["done", "pruned", "failed"]:
        """``pruned`` is a network that learned nothing, and was not attacked."""
        if self.reason is not None or self.cheap is None:
            return "failed"
        return "done" if self.excess is not None else "pruned"

    @property
    def title(self) -> str:
        """The defense with its settings, and the cut where it is not the paper's."""
        cut = f" at {self.config.cut}" if self.config.cut else ""
        return f"{self.config.defense}{cut}"

    @property
    def title_with_seed(self) -> str:
        """The title, and the seed that trained it."""
        return f"{self.title}, seed {self.config.seed}"

    @property
    def group(self) -> str:
        """The defense, and the cut where it is not the paper's: what charts draw alike."""
        return f"{self.defense} at {self.config.cut}" if self.config.cut else self.defense

    @property
    def place(self) -> tuple[float, float] | None:
        """Lambda and beta, if the defense has both."""
        for part in self.config.defense.parts:
            if part.settings.keys() >= {"weight", "beta"}:
                return float(part.settings["weight"]), float(part.settings["beta"])
        return None

    @cached_property
    def excess(self) -> float | None:
        """Excess leakage on the held-out part: what any attack so far achieved, at least."""
        judged = [excess_of(record) for record in (self.cheap, self.strong) if record]
        return max((value for value in judged if value is not None), default=None)

    @cached_property
    def upper_excess(self) -> float:
        """The largest upper end of the 95 % intervals of its excess: what limits are judged by."""
        ends = [upper_excess_of(record) for record in (self.cheap, self.strong) if record]
        return float(np.max([end for end in ends if end is not None]))  # NaN if one of them is

    @property
    def bits(self) -> float | None:
        """Maximal leakage that is proved; None where there is no bound."""
        proved = self.cheap.bits if self.cheap else None
        return proved.maximal_leakage if proved else None

    @property
    def point(self) -> Point:
        """Accuracy and excess leakage on the held-out part of a trial that is done.

        An attack that does worse than the label-only floor learns nothing, however much worse.
        """
        record, excess = self.cheap, self.excess
        if record is None or excess is None:
            raise ValueError(f"expected a trial that is done, but {self.name} {self.state}")
        return record.accuracy, max(excess, 0.0)


@dataclass(frozen=True)
class Sweep:
    """All trials of a sweep.

    Attributes:
        config: what was searched.
        trials: every trial that ended, those of one defense together.
        repeats: tested trials once more with further seeds, and the test set their only judgment.
    """

    config: SweepConfig
    trials: tuple[Trial, ...]
    repeats: tuple[Trial, ...] = ()

    @property
    def done(self) -> list[Trial]:
        """The trials that were trained and attacked."""
        return [trial for trial in self.trials if trial.state == "done"]

    @property
    def front(self) -> list[Trial]:
        """Those that no other beats on the held-out part, from the highest accuracy down."""
        done = self.done
        return [done[i] for i in pareto([trial.point for trial in done])]

    @property
    def hypervolume(self) -> float:
        """That of the front on the held-out part; see `hypervolume`."""
        return hypervolume([trial.point for trial in self.done])

    def over_seeds(self, trial: Trial) -> list[Trial]:
        """A trial and its repeats, as far as they met the test set."""
        of_it = [repeat for repeat in self.repeats if repeat.folder.parent == trial.folder]
        return [run for run in (trial, *of_it) if run.test]

    def tested(self, trial: Trial) -> tuple[tuple[float, float | None], ...]:
        """Accuracy and excess leakage on the test set with each seed, the first one included."""
        return tuple((r.test.accuracy, excess_of(r.test)) for r in self.over_seeds(trial) if r.test)

    @property
    def vanilla(self) -> Trial | None:
        """The undefended network, if it is done."""
        return next((trial for trial in self.done if trial.defense == "vanilla"), None)
