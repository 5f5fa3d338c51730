"""Record the board: tune every defense alike, train what was chosen, audit it, add the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mixcon._cache import digest
from mixcon.audit import AuditProgress
from mixcon.data import load
from mixcon.leaderboard.contest import Contest, Setting, contest_of
from mixcon.leaderboard.entry import Entry, add_entry, folder_name
from mixcon.leaderboard.jobs import AuditJob, TrainingJob, in_parallel
from mixcon.leaderboard.tuning import (
    CHOICES,
    Choice,
    held_out_accuracy,
    last_within,
    title_of,
    write_choices,
)
from mixcon.progress import Plan
from mixcon.training import RunFolder, TrainConfig

__all__ = ["Frontier", "record_frontier"]

Entrant: TypeAlias = tuple[str, int]  # name and seed
Part: TypeAlias = tuple[str, str, int]  # what is done for whom, with which setting or seed

_UNDEFENDED = "vanilla"
_TOGETHER = 4  # models in one audit: what they share is prepared once, what is done is on the board
_TRAIN, _AUDIT = 3.0, 12.0  # times as long as one training in the tuning


@dataclass(frozen=True)
class Frontier:
    """How a board is recorded.

    Attributes:
        board: folder of the entries.
        work: folder of runs and finished attacks; the same call goes on with what is there.
        key: signs the entries.
        seeds: of the runs that are audited, the first of which also tunes.
        only: data sets, all of the contest's if empty.
        smoke: the path in small, on digits.
        data_dir: where local Parquet files lie.
        accelerator: where models are trained and attacked, see `mixcon.training.device_of`.
        workers: processes that share the work; several tune everything before the first entry.
        on_progress: told the share that is done, in [0, 1], and what is being done.
    """

    board: Path
    work: Path
    key: Ed25519PrivateKey
    seeds: Sequence[int] = (0,)
    only: Sequence[str] = ()
    smoke: bool = False
    data_dir: Path | None = None
    accelerator: str = "cpu"
    workers: int = 1
    on_progress: Callable[[float, str], None] = lambda _, __: None

    @property
    def contest(self) -> Contest:
        """Who competes."""
        return contest_of(smoke=self.smoke)


def record_frontier(options: Frontier) -> Iterator[Entry]:
    """The entries of a board, each as soon as it is there.

    Raises:
        ConfigError: no such data set.
        MixconError: as training and audit raise them.
    """
    contest = options.contest
    sets = contest.chosen(options.only)
    for place, data in enumerate(sets):

        def show(share: float, what: str, before: int = place) -> None:
            options.on_progress((before + share) / len(sets), what)

        yield from _Recording(data, contest, options, show).run()


class _Recording:
    """The board of one data set."""

    def __init__(
        self,
        name: str,
        contest: Contest,
        options: Frontier,
        show: Callable[[float, str], None],
    ) -> None:
        self.name, self.contest, self.options, self.show = name, contest, options, show
        self.course, self.field = contest.sets[name], contest.field(name)
        self.chosen, self.choices = {_UNDEFENDED: Setting()}, dict[str, Choice]()
        self.data = load(name, data_dir=options.data_dir)
        entrants = [(who, seed) for seed in options.seeds for who in (_UNDEFENDED, *self.field)]
        together = max(1, min(_TOGETHER, len(entrants) // options.workers))
        self.groups = [entrants[i : i + together] for i in range(0, len(entrants), together)]
        tries = [(who, i) for who, choice in self.field.items() for i in range(len(choice))]
        self.parts: dict[Part, float] = {
            **{("tune", *each): 1.0 for each in [(_UNDEFENDED, 0), *tries]},
            **{("train", *each): _TRAIN for each in entrants},
            **{("audit", *each): _AUDIT for each in entrants},
        }
        self.plan = Plan(self.parts)

    def run(self) -> Iterator[Entry]:
        if self.options.workers > 1:
            self._prepare()
        for group in self.groups:
            yield from self._entries(group)

    def _prepare(self) -> None:
        """All trainings and audits by several processes; what then runs finds them done."""
        settings = [Setting(), *(each for choice in self.field.values() for each in choice)]
        self._share("tune", "tuning", [self._tuning(each) for each in settings])
        entrants = [who for group in self.groups for who in group]
        self._share("train", "training", [self._training(*who) for who in entrants])
        self._share("audit", "audits", [self._audit(group) for group in self.groups])

    def _share(self, kind: str, what: str, jobs: Sequence[TrainingJob | AuditJob]) -> None:
        parts = [part for part in self.parts if part[0] == kind]

        def show(share: float) -> None:
            done = [self.plan.report(part, share) for part in parts]
            self.show(done[-1], f"{self.name}: {what}")

        show(0.0)
        left = {job.folder: job for job in jobs if not job.done}  # settings may be shared
        in_parallel(list(left.values()), self.options.workers, show)
        show(1.0)

    def _setting(self, who: str) -> Setting:
        """The setting of a defense, chosen on held-out samples; how, is written down."""
        if who not in self.chosen:
            settings = self.field[who]
            undefended = self._accuracy(_UNDEFENDED, 0, Setting())
            found = [self._accuracy(who, place, each) for place, each in enumerate(settings)]
            best = settings[last_within(found, undefended, self.contest.points)]
            self.chosen[who] = best
            titles = [title_of(self._config(setting)) for setting in settings]
            self.choices[who] = Choice(
                tried={_UNDEFENDED: undefended, **dict(zip(titles, found, strict=True))},
                chosen=title_of(self._config(best)),
            )
            write_choices(self.options.board / folder_name(self.name) / CHOICES, self.choices)
        return self.chosen[who]

    def _config(self, setting: Setting, seed: int = 0) -> TrainConfig:
        return self.course.config(setting, self.name, seed)

    def _accuracy(self, who: str, place: int, setting: Setting) -> float:
        job = self._tuning(setting)
        self._train(job, ("tune", who, place), "tuning")
        return held_out_accuracy(RunFolder(job.folder))

    def _tuning(self, setting: Setting) -> TrainingJob:
        first, held_out = self.options.seeds[0], self.contest.holdout
        config = self.course.config(setting, self.course.tuning, first, held_out)
        return self._job(config, "tuning")

    def _training(self, who: str, seed: int) -> TrainingJob:
        return self._job(self._config(self._setting(who), seed), "runs")

    def _job(self, config: TrainConfig, purpose: str) -> TrainingJob:
        name = f"{folder_name(title_of(config))}-s{config.seed}"
        run = self.options.work / self.name / purpose / name
        return TrainingJob(config, run, self.options.data_dir, self.options.accelerator)

    def _train(self, job: TrainingJob, part: Part, what: str) -> None:
        title = f"{self.name}: {what} of {title_of(job.config)}"
        if not job.done:
            job(lambda step: self.show(self.plan.report(part, step.share), title))
        self.show(self.plan.report(part, 1.0), title)

    def _audit(self, group: Sequence[Entrant]) -> AuditJob:
        runs = tuple(self._training(*who).folder for who in group)
        work = self.options.work / self.name
        return AuditJob(
            self.name,
            runs,
            work / "audits" / digest(*(run.name for run in runs)),
            work / "attacks",
            self.options.data_dir,
            self.options.accelerator,
            self.options.smoke,
        )

    def _entries(self, group: Sequence[Entrant]) -> Iterator[Entry]:
        """Train and audit some models together, and put them on the board."""
        for who in group:
            self._train(self._training(*who), ("train", *who), "training")
        job = self._audit(group)

        def show(step: AuditProgress) -> None:
            parts = step.done * len(group)
            for place, who in enumerate(group):
                share = min(1.0, max(0.0, parts - place))
                done = self.plan.report(("audit", *who), share)
            self.show(done, f"{self.name}: {step.model} {step.phase}".rstrip())

        if not job.done:
            job(show, self.data)
        for who, run in zip(group, job.runs, strict=True):
            self.show(self.plan.report(("audit", *who), 1.0), f"{self.name}: audits")
            report, board = job.folder / "report.json", self.options.board
            yield add_entry(run, report, board, self.data, self.options.key)
