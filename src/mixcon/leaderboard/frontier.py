"""Record the board: tune every defense alike, train what was chosen, audit it, add the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mixcon.audit import AuditProgress
from mixcon.data import load
from mixcon.leaderboard.board import UNDEFENDED, board_rows, on_front
from mixcon.leaderboard.contest import Contest, Scale, Setting, contest_of
from mixcon.leaderboard.entry import Entry, add_entry, entry_name, folder_name
from mixcon.leaderboard.jobs import AuditJob, Chain, TrainingJob, in_parallel
from mixcon.leaderboard.tuning import (
    Choice,
    choices_file,
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

_TRAIN, _AUDIT = 3.0, 12.0  # times as long as one training in the tuning


@dataclass(frozen=True)
class Frontier:
    """How a board is recorded.

    Attributes:
        board: folder of the entries.
        work: folder of runs and finished attacks; the same call goes on with what is there.
        key: signs the entries.
        seeds: of the runs that are audited. The first also tunes; the others are for finalists:
            the undefended network, and who is on the front with the first.
        only: data sets, all of the contest's if empty.
        scale: full has the paper's own networks, which ask for a GPU; smoke is the path in small,
            on digits.
        data_dir: where local Parquet files lie.
        accelerator: where models are trained and attacked, see `mixcon.training.device_of`.
        workers: processes that share the work; with several all entries of a round come at its end.
        on_progress: told the share that is done, in [0, 1], and what is being done.
    """

    board: Path
    work: Path
    key: Ed25519PrivateKey
    seeds: Sequence[int] = (0,)
    only: Sequence[str] = ()
    scale: Scale = "small"
    data_dir: Path | None = None
    accelerator: str = "cpu"
    workers: int = 1
    on_progress: Callable[[float, str], None] = lambda _, __: None

    @property
    def contest(self) -> Contest:
        """Who competes."""
        return contest_of(self.scale)


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
    """The board of one data set: a round of everyone, then one of the finalists' other seeds."""

    def __init__(
        self,
        name: str,
        contest: Contest,
        options: Frontier,
        show: Callable[[float, str], None],
    ) -> None:
        self.name, self.contest, self.options, self.show = name, contest, options, show
        self.course, self.field = contest.sets[name], contest.field(name)
        self.chosen, self.choices = {UNDEFENDED: Setting()}, dict[str, Choice]()
        self.data = load(name, data_dir=options.data_dir)
        self.rounds, self.round = 1 + (len(options.seeds) > 1), 0
        self.plan = Plan[Part]({})

    def run(self) -> Iterator[Entry]:
        first, *others = self.options.seeds
        everyone, entries = [UNDEFENDED, *self.field], list[Entry]()
        for entry in self._entries([(who, first) for who in everyone]):
            entries.append(entry)
            yield entry
        if others:
            self.round = 1
            finalists = _finalists(everyone, entries)
            yield from self._entries([(who, seed) for seed in others for who in finalists])

    def _entries(self, entrants: Sequence[Entrant]) -> Iterator[Entry]:
        tries = [(who, i) for who, field in self.field.items() for i in range(len(field))]
        tuning = [] if self.round else [(UNDEFENDED, 0), *tries]
        self.plan = Plan(
            {
                **{("tune", *each): 1.0 for each in tuning},
                **{("train", *each): _TRAIN for each in entrants},
                **{("audit", *each): _AUDIT for each in entrants},
            }
        )
        if self.options.workers > 1:  # what then runs finds all of it done
            in_parallel([self._chain(*each) for each in entrants], self.options.workers)
        for who, seed in entrants:
            yield self._entry(who, seed)

    def _chain(self, who: str, seed: int) -> Chain:
        if who not in self.chosen:
            yield [self._tuning(each) for each in (Setting(), *self.field[who])]
        training = self._training(who, seed)
        yield [training]
        self._report(("train", who, seed), 1.0, f"training of {title_of(training.config)}")
        yield [self._audit(who, seed)]
        self._report(("audit", who, seed), 1.0, f"audit of {title_of(training.config)}")

    def _report(self, part: Part, share: float, what: str) -> None:
        done = self.round + self.plan.report(part, share)
        self.show(done / self.rounds, f"{self.name}: {what}")

    def _setting(self, who: str) -> Setting:
        """The setting of a defense, chosen on held-out samples; how, is written down."""
        if who not in self.chosen:
            settings = self.field[who]
            undefended = self._accuracy(UNDEFENDED, 0, Setting())
            found = [self._accuracy(who, place, each) for place, each in enumerate(settings)]
            best = settings[last_within(found, undefended, self.contest.points)]
            self.chosen[who] = best
            titles = [title_of(self._config(setting)) for setting in settings]
            self.choices[who] = Choice(
                tried={UNDEFENDED: undefended, **dict(zip(titles, found, strict=True))},
                chosen=title_of(self._config(best)),
            )
            ordered = {name: self.choices[name] for name in self.field if name in self.choices}
            file = choices_file(self.course.network)
            write_choices(self.options.board / folder_name(self.name) / file, ordered)
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
        run = self.options.work / self.name / purpose / entry_name(config)
        return TrainingJob(config, run, self.options.data_dir, self.options.accelerator)

    def _train(self, job: TrainingJob, part: Part, what: str) -> None:
        title = f"{what} of {title_of(job.config)}"
        if not job.done:
            job(lambda step: self._report(part, step.share, title))
        self._report(part, 1.0, title)

    def _audit(self, who: str, seed: int) -> AuditJob:
        work, run = self.options.work / self.name, self._training(who, seed).folder
        return AuditJob(
            self.name,
            run,
            work / "audits" / run.name,
            work / "attacks",
            self.options.data_dir,
            self.options.accelerator,
            self.options.scale == "smoke",
        )

    def _entry(self, who: str, seed: int) -> Entry:
        """Train and audit a model, and put it on the board."""
        training, audit = self._training(who, seed), self._audit(who, seed)
        self._train(training, ("train", who, seed), "training")
        part: Part = ("audit", who, seed)

        def show(step: AuditProgress) -> None:
            self._report(part, step.done, f"{step.model} {step.phase}".rstrip())

        if not audit.done:
            audit(show, self.data)
        self._report(part, 1.0, f"audit of {title_of(training.config)}")
        report, board = audit.folder / "report.json", self.options.board
        return add_entry(audit.run, report, board, self.data, self.options.key)


def _finalists(everyone: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """The undefended network, and who is on the front of these entries, one each."""
    rows = board_rows(entries)
    front = {row.title for row in rows if on_front(row, rows)}
    return [
        who
        for who, entry in zip(everyone, entries, strict=True)
        if who == UNDEFENDED or title_of(entry.config) in front
    ]
