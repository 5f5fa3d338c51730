"""Record the board: tune every defense alike, train what was chosen, audit it, add the entries."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mixcon._cache import digest
from mixcon.attacks import Decoder
from mixcon.audit import AuditProgress, run_audit
from mixcon.data import load
from mixcon.leaderboard.board_audit import audit_for_board, named
from mixcon.leaderboard.contest import Contest, Setting, contest_of
from mixcon.leaderboard.entry import Entry, add_entry, folder_name
from mixcon.leaderboard.tuning import (
    CHOICES,
    Choice,
    held_out_accuracy,
    last_within,
    title_of,
    write_choices,
)
from mixcon.progress import Plan
from mixcon.reports import write_report
from mixcon.training import RunFolder, TrainConfig, train

__all__ = ["Frontier", "record_frontier"]

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
        on_progress: told the share that is done, in [0, 1], and what is being done.
    """

    board: Path
    work: Path
    key: Ed25519PrivateKey
    seeds: Sequence[int] = (0,)
    only: Sequence[str] = ()
    smoke: bool = False
    data_dir: Path | None = None
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
        self.groups = [entrants[i : i + _TOGETHER] for i in range(0, len(entrants), _TOGETHER)]
        tries = [(who, i) for who, choice in self.field.items() for i in range(len(choice))]
        self.plan: Plan[Hashable] = Plan(
            {
                **{("tune", *each): 1.0 for each in [(_UNDEFENDED, 0), *tries]},
                **{("train", *each): _TRAIN for each in entrants},
                **{("audit", *each): _AUDIT for each in entrants},
            }
        )

    def run(self) -> Iterator[Entry]:
        for group in self.groups:
            runs = [
                self._trained("runs", self._config(self._setting(who), seed), ("train", who, seed))
                for who, seed in group
            ]
            yield from self._audited(group, runs)

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
        held_out = self.contest.holdout
        config = self.course.config(setting, self.course.tuning, self.options.seeds[0], held_out)
        return held_out_accuracy(RunFolder(self._trained("tuning", config, ("tune", who, place))))

    def _trained(self, purpose: str, config: TrainConfig, part: Hashable) -> Path:
        title = title_of(config)
        name = f"{folder_name(title)}-s{config.seed}"
        run = self.options.work / self.name / purpose / name

        def show(share: float) -> None:
            self.show(self.plan.report(part, share), f"{self.name}: {purpose} of {title}")

        if not RunFolder(run).finished:
            train(
                config,
                run,
                data_dir=self.options.data_dir,
                accelerator="cpu",
                on_progress=lambda step: show(step.share),
            )
        show(1.0)
        return run

    def _audited(self, group: Sequence[tuple[str, int]], runs: Sequence[Path]) -> Iterator[Entry]:
        names = digest(*(run.name for run in runs))
        folder = self.options.work / self.name / "audits" / names
        if not (folder / "report.json").is_file():
            self._audit(group, runs, folder)
        for who, run in zip(group, runs, strict=True):
            self.show(self.plan.report(("audit", *who), 1.0), f"{self.name}: audits")
            yield add_entry(
                run, folder / "report.json", self.options.board, self.data, self.options.key
            )

    def _audit(self, group: Sequence[tuple[str, int]], runs: Sequence[Path], folder: Path) -> None:
        """Attack some models together, since they share what is prepared; write the report."""

        def show(step: AuditProgress) -> None:
            parts = step.done * len(group)
            for place, who in enumerate(group):
                share = min(1.0, max(0.0, parts - place))
                done = self.plan.report(("audit", *who), share)
            self.show(done, f"{self.name}: {step.model} {step.phase}".rstrip())

        if self.options.smoke:
            report, gallery = run_audit(
                [named(run, self.data) for run in runs],
                self.data,
                [Decoder(steps=60)],
                victims=40,
                on_progress=show,
            )
            write_report(report, gallery, folder)
        else:
            kept = self.options.work / self.name / "attacks"
            audit_for_board(runs, self.data, folder, keep=kept, on_progress=show)
