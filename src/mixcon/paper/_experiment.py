"""What an experiment of the paper is: how it is asked for, and what it hands on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from mixcon.audit import Environment, environment_of
from mixcon.errors import ConfigError

__all__ = [
    "SCALES",
    "Check",
    "Experiment",
    "Measured",
    "Result",
    "Row",
    "RunOptions",
    "Scale",
    "Step",
]

T = TypeVar("T")
Scale = Literal["smoke", "small", "full"]

SCALES: tuple[Scale, ...] = ("smoke", "small", "full")
"""Smoke shows the whole path in under a minute, small suits two CPU cores, full is the paper's."""


class _Record(BaseModel):
    """A frozen, closed record: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Row(_Record):
    """One number of the paper beside ours.

    Attributes:
        group: what it is compared within, e.g. the data set; empty where there is one group.
        setting: what was trained, e.g. ``MixCon (1, 1e-4)``.
        quantity: what was measured, e.g. ``SSIM, mean``.
        paper: the number that the paper prints; None where it prints none.
        ours: one value a seed; for leakage, under the paper's attack.
        strongest: the same under the strongest attack; None where nothing is attacked.
        floor: the same for a guess from the predicted label alone; None likewise. How both were
            chosen is in the notes.
        places: decimals to show.
        ordered: whether it means something that one setting has more of it than another.
    """

    group: str = ""
    setting: str
    quantity: str
    paper: float | None = None
    ours: list[float]
    strongest: list[float] | None = None
    floor: list[float] | None = None
    places: int = 2
    ordered: bool = True


class Check(_Record):
    """A statement that the results bear out or do not.

    Attributes:
        claim: the statement, one sentence.
        holds: whether it holds, once a seed or a case.
        measured: what was found, in words.
    """

    claim: str
    holds: list[bool]
    measured: str = ""


class Result(_Record):
    """What running one experiment gave; its JSON is what gets recorded.

    Attributes:
        schema_version: raised when the meaning of a field changes.
        experiment: name in the registry, e.g. ``table3``.
        only: the data sets that it was confined to; none if it ran on all of its own.
        title: one line.
        scale: the scale it ran at.
        ran: what that scale is, in words.
        seeds: the seeds of training, in the order of a row's values.
        environment: command, machine, versions and start.
        seconds: wall time, that of models and attacks kept from an earlier run included.
        notes: what differs from the paper, one sentence each.
        rows: numbers beside the paper's.
        checks: statements that hold or do not.
        data: everything else that the figure is drawn from.
    """

    schema_version: int = 1
    experiment: str
    title: str
    scale: Scale
    ran: str
    seeds: list[int]
    environment: Environment
    seconds: float
    notes: list[str]
    rows: list[Row]
    checks: list[Check]
    data: dict[str, Any]
    only: list[str] = []

    @property
    def name(self) -> str:
        """What its files are called: the experiment and what it was confined to."""
        return "-".join([self.experiment, *self.only])


@dataclass(frozen=True)
class Step:
    """Where a run stands: what is being done, and the share of it that is."""

    what: str
    share: float


@dataclass(frozen=True)
class RunOptions:
    """How an experiment is asked to run.

    Attributes:
        scale: one of `SCALES`.
        work: folder of trained models and finished attacks, shared by the experiments and resumed.
        seeds: the seeds of training.
        data_dir: where local Parquet files lie; see `mixcon.data.load`.
        accelerator: where models are trained and attacked, see `mixcon.training.device_of`.
        only: of an experiment with several data sets only these, by name; all of them if empty.
        on_progress: told about progress.
    """

    scale: Scale
    work: Path
    seeds: tuple[int, ...]
    data_dir: Path | None = None
    only: tuple[str, ...] = ()
    accelerator: str = "auto"
    on_progress: Callable[[Step], None] = lambda _: None

    def chosen(self, sets: Sequence[str]) -> list[str]:
        """Those of the data sets that are asked for, without their ``[:N]``.

        Raises:
            ConfigError: none of them is.
        """
        found = [name for name in sets if not self.only or name.split("[")[0] in self.only]
        if not found:
            raise ConfigError(
                f"expected data sets out of {', '.join(sets)}, but got {', '.join(self.only)}"
            )
        return found

    def parts(self, items: Sequence[T]) -> Iterator[tuple[T, RunOptions]]:
        """Each item with options of its own, whose progress is an equal share."""
        for index, item in enumerate(items):

            def report(step: Step, before: int = index) -> None:
                self.on_progress(Step(step.what, (before + step.share) / len(items)))

            yield item, replace(self, on_progress=report)


@dataclass
class Measured:
    """What an experiment's own code hands back; `Experiment` writes the rest around it.

    Attributes:
        rows: as in `Result`.
        checks: as in `Result`.
        notes: as in `Result`.
        data: as in `Result`.
        seconds: wall time of the models and attacks, whenever they ran.
    """

    rows: list[Row] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Experiment:
    """A table or a figure of the paper.

    Attributes:
        name: what the command line calls it.
        title: one line, as the paper's caption.
        scales: scale to what it runs, in words.
        seeds: scale to how many seeds it runs by default.
        measure: does the work.
        draw: figure file name to its content, from the result alone; None where it is a table.
    """

    name: str
    title: str
    scales: dict[Scale, str]
    seeds: dict[Scale, int]
    measure: Callable[[RunOptions], Measured]
    draw: Callable[[Result], dict[str, bytes]] | None = None

    def run(self, options: RunOptions, command: str) -> Result:
        """Run it, and record where and how.

        Args:
            options: how to run it.
            command: the command line that runs it again.

        Raises:
            ConfigError: no seed.
            MixconError: as training and audit raise them.
        """
        if not options.seeds:
            raise ConfigError(f"{self.name}: expected at least one seed, but got none")
        before, started = environment_of(command, options.seeds[0]), time.monotonic()
        found = self.measure(options)
        return Result(
            experiment=self.name,
            only=list(options.only),
            title=self.title + (f" ({', '.join(options.only)})" if options.only else ""),
            scale=options.scale,
            ran=self.scales[options.scale],
            seeds=list(options.seeds),
            environment=before,
            seconds=round(max(time.monotonic() - started, found.seconds), 1),
            notes=found.notes,
            rows=found.rows,
            checks=found.checks,
            data=found.data,
        )
