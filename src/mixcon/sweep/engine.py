"""The sweep: search by the cheap attack, judge the front by the strong ones, test it at last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from mixcon import models
from mixcon.attacks import Attack
from mixcon.data import Splits, load
from mixcon.sweep.config import Limits, SweepConfig
from mixcon.sweep.folder import SweepFolder, judged
from mixcon.sweep.job import Job, device_of
from mixcon.sweep.pool import LocalPool, Outcome, Pool
from mixcon.sweep.progress import OnProgress, Phase, SweepProgress
from mixcon.sweep.records import Sweep, Trial
from mixcon.sweep.search import Proposal, Search, open_storage
from mixcon.sweep.stack import train_together
from mixcon.sweep.stages import CHEAP, StageName, fitting
from mixcon.training import stacking_pays

__all__ = ["Select", "sweep"]

Select: TypeAlias = Callable[[Sweep], Sequence[Trial]]
"""Which trials are wanted; those not yet judged by the strong attacks then are."""

_POLL_SECONDS = 0.5


def sweep(
    config: SweepConfig,
    out: Path,
    pool: Pool,
    *,
    storage: str | None = None,
    limits: Limits | None = None,
    select: Select = lambda sweep: sweep.front,
    data_dir: Path | None = None,
    accelerator: str = "auto",
    on_progress: OnProgress = lambda _: None,
) -> Sweep:
    """Search for the front between utility and leakage, or go on where an earlier call stopped.

    Every trial is trained on a part of the training set, and attacked by the cheap attacks on the
    rest of it. What they achieve is a lower bound of the leakage, so a trial that another one
    beats under the strong attacks is out of the race for certain: the strong attacks run on the
    front alone, until all of it has stood them. Only then its members meet the test set; with
    several seeds they are trained again with each, which has no say in the selection either.

    Args:
        config: what is searched.
        out: the sweep's folder; see `SweepFolder`.
        pool: what the jobs run on; closed at the end.
        storage: URL of Optuna's database, or a journal file; by default SQLite in the folder.
        limits: what samplers are to keep to.
        select: which trials are wanted; the front by default.
        data_dir: where local Parquet files lie; see `mixcon.data.load`.
        accelerator: as Lightning Fabric names it.
        on_progress: told whenever a job ends, and while they run.

    Returns:
        All trials. One that failed says why, and has not kept the others from going on.

    Raises:
        ConfigError, CutError, DataError: bad settings or data; before anything is written.
        RunError: the folder holds another sweep, or another one is at work there.
    """
    with closing(pool):
        splits = _checked(config, data_dir)
        attacks: dict[StageName, Sequence[Attack[Any]]]
        attacks = {"cheap": CHEAP, "strong": config.strong, "test": config.strong}
        fit = {stage: fitting(chosen, splits) for stage, chosen in attacks.items()}
        folder, backend = SweepFolder(out), open_storage(storage) if storage else None
        with folder.locked():
            folder.claim(config)
            backend = backend or open_storage(folder.storage)
            searches = [
                Search(folder.study(d), d, config, backend, limits or Limits())
                for d in config.budget
            ]
            engine = _Engine(
                config, folder, pool, searches, fit, data_dir, accelerator, on_progress
            )
            engine.search()
            engine.judge(select)
            engine.test(select)
            engine.repeat(select)
            return engine.sweep


def _checked(config: SweepConfig, data_dir: Path | None) -> Splits:
    """The data, once every defense and cut was built: mistakes show before hours of training."""
    splits = load(config.base.data, data_dir=data_dir, seed=config.base.seed)
    splits.holdout(config.base.holdout)
    for cut in {c.cut for c in config.check()}:
        models.build(config.base.network, splits.train.shape, len(splits.train.classes), cut)
    return splits


class _Engine:
    """The state of one sweep."""

    def __init__(
        self,
        config: SweepConfig,
        folder: SweepFolder,
        pool: Pool,
        searches: list[Search],
        attacks: dict[StageName, tuple[Attack[Any], ...]],
        data_dir: Path | None,
        accelerator: str,
        on_progress: OnProgress,
    ) -> None:
        self._config, self._folder, self._pool = config, folder, pool
        self._searches = {search.defense: search for search in searches}
        self._attacks = attacks
        self._data_dir, self._accelerator = data_dir, accelerator
        self._on_progress = on_progress
        self._trials = {trial.name: trial for trial in self._finished()}
        self._repeats: dict[str, Trial] = {}
        self._proposed: dict[str, tuple[Search, int]] = {}

    @property
    def sweep(self) -> Sweep:
        """All trials that ended so far, those of one defense together."""
        order = list(self._searches)
        trials = sorted(self._trials.values(), key=lambda t: (order.index(t.defense), t.name))
        return Sweep(self._config, tuple(trials), tuple(self._repeats.values()))

    def search(self) -> None:
        """Spend the budget of every defense, in turns."""
        total, jobs = sum(self._config.budget.values()), self._proposals()
        device = device_of(self._accelerator)
        known = self._config.sampler in {"grid", "random"}  # the others wait for results
        if known and isinstance(self._pool, LocalPool) and stacking_pays(device):
            together = list(jobs)
            train_together(together, device)
            jobs = iter(together)
        self._run("search", jobs, total, self._searched)

    def judge(self, select: Select) -> None:
        """Let the strong attacks loose on what is wanted, until all of it has stood them."""
        while wanted := [trial for trial in select(self.sweep) if trial.strong is None]:
            jobs = (self._job(trial, "strong") for trial in wanted)
            self._run("judge", jobs, len(wanted), self._judged)

    def test(self, select: Select) -> None:
        """Measure what is wanted, and the undefended network, on the test set."""
        wanted = [trial for trial in self._chosen(select) if trial.test is None]
        jobs = (self._job(trial, "test") for trial in wanted)
        self._run("test", jobs, len(wanted), self._judged)

    def repeat(self, select: Select) -> None:
        """Train what was tested with further seeds and test it too: how far chance moves it."""
        tested = [trial for trial in self._chosen(select) if trial.test]
        seeds = self._config.further_seeds
        repeats = [self._folder.repeat(trial, seed) for trial in tested for seed in seeds]
        self._repeats = {repeat.name: repeat for repeat in repeats}
        wanted = [repeat for repeat in repeats if repeat.test is None]
        jobs = (self._job(repeat, "test") for repeat in wanted)
        self._run("seeds", jobs, len(wanted), self._judged)

    def _chosen(self, select: Select) -> list[Trial]:
        """What is wanted, and the undefended network."""
        now = self.sweep
        chosen = {trial.name: trial for trial in [now.vanilla, *select(now)] if trial}
        return list(chosen.values())

    def _finished(self) -> Iterator[Trial]:
        for search in self._searches.values():
            for proposal, reason in search.finished:
                yield self._folder.trial(search.defense, proposal, reason)

    def _proposals(self) -> Iterator[Job]:
        """One trial of each defense in turn, for as long as there is budget."""
        asking = list(self._searches.values())
        while asking:
            for search in list(asking):
                proposal = search.ask()
                if proposal is None:
                    asking.remove(search)
                    continue
                trial = self._folder.trial(search.defense, proposal)
                self._proposed[trial.name] = (search, proposal.number)
                yield self._job(trial, "cheap")

    def _job(self, trial: Trial, stage: StageName) -> Job:
        return Job(
            trial.name,
            trial.title,
            trial.config,
            stage,
            self._attacks[stage],
            trial.folder,
            self._config.victims,
            self._config.base.seed,
            self._data_dir,
            self._accelerator,
        )

    def _run(
        self,
        phase: Phase,
        jobs: Iterator[Job],
        total: int,
        ended: Callable[[Outcome], Trial],
    ) -> None:
        """Keep the pool busy until there are no more jobs."""
        count = len(self._trials) if phase == "search" else 0

        def show(news: Trial | None = None) -> None:
            self._on_progress(
                SweepProgress(phase, total, count, self._pool.running, self.sweep, news)
            )

        more = True
        while more or self._pool.running:
            while more and self._pool.free:
                job = next(jobs, None)
                more = job is not None
                if job:
                    self._pool.submit(job)
            show()
            if more and not self._pool.running:
                time.sleep(_POLL_SECONDS)  # a cluster without a node left may get one back
            for outcome in self._pool.wait(_POLL_SECONDS) if self._pool.running else []:
                count += 1
                show(ended(outcome))

    def _searched(self, outcome: Outcome) -> Trial:
        """Keep the books: the study is told what the files say."""
        search, number = self._proposed.pop(outcome.job.name)
        proposal = Proposal(number, outcome.job.config)
        trial = self._folder.trial(search.defense, proposal, outcome.reason)
        self._trials[trial.name] = trial
        if trial.reason is not None or trial.cheap is None:
            search.fail(number, trial.reason or "no judgment")
        else:
            accuracy, excess = trial.point if trial.state == "done" else (0.0, None)
            search.tell(number, accuracy, excess)
        return trial

    def _judged(self, outcome: Outcome) -> Trial:
        name = outcome.job.name
        book = self._repeats if name in self._repeats else self._trials
        book[name] = judged(book[name], outcome.reason)
        return book[name]
