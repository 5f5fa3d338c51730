"""The phases of a sweep: search by the cheap attack, judge by the strong ones, test at last."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from mixcon.attacks import Attack
from mixcon.sweep.config import SweepConfig
from mixcon.sweep.job import Job, OnJobProgress
from mixcon.sweep.judgments import StageName
from mixcon.sweep.pool import LocalPool, Outcome, Pool
from mixcon.sweep.progress import JobProgress, OnProgress, Phase, SweepPlan, SweepProgress
from mixcon.sweep.records import Sweep, Trial
from mixcon.sweep.search import Proposal, Search
from mixcon.sweep.stacking import train_together
from mixcon.sweep.sweep_folder import SweepFolder, judged
from mixcon.training import device_of, stacking_pays

__all__ = ["Engine", "Select"]

Select: TypeAlias = Callable[[Sweep], Sequence[Trial]]
"""Which trials are wanted; those not yet judged by the strong attacks then are."""

_POLL_SECONDS = 0.5


class Engine:
    """The state of one sweep, and a method for each of its phases, in order."""

    def __init__(
        self,
        config: SweepConfig,
        folder: SweepFolder,
        pool: Pool,
        searches: list[Search],
        attacks: dict[StageName, tuple[Attack[Any], ...]],
        data_dir: Path | None,
        accelerator: str,
        plan: SweepPlan,
        on_progress: OnProgress,
    ) -> None:
        self._config, self._folder, self._pool = config, folder, pool
        self._searches = {search.defense: search for search in searches}
        self._attacks = attacks
        self._data_dir, self._accelerator = data_dir, accelerator
        self._plan, self._on_progress = plan, on_progress
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
            train_together(together, device, self._stacked(total))
            jobs = iter(together)
        self._run("search", jobs, total, self._searched, before=len(self._trials))

    def judge(self, select: Select) -> None:
        """Let the strong attacks loose on what is wanted, until all of it has stood them."""
        judged = 0
        while wanted := [trial for trial in select(self.sweep) if trial.strong is None]:
            jobs = (self._job(trial, "strong") for trial in wanted)
            self._run("judge", jobs, judged + len(wanted), self._judged, before=judged)
            judged += len(wanted)

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
        before: int = 0,
    ) -> None:
        """Keep the pool busy until there are no more jobs; `before` of the total ended earlier."""
        count = before
        self._plan.begin(phase, total)

        def show(news: Trial | None = None) -> None:
            self._tell(phase, total, count, news)

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
                if outcome.refused:
                    raise outcome.refused
                count += 1
                show(ended(outcome))

    def _tell(self, phase: Phase, total: int, count: int, news: Trial | None) -> None:
        """Say where the sweep stands; jobs on their way count by how far they are."""
        jobs = self._pool.progress
        share = (count + sum(job.share for job in jobs)) / total if total else 1.0
        done, running = self._plan.report(phase, share), self._pool.running
        now = SweepProgress(phase, done, total, count, running, jobs, self.sweep, news)
        self._on_progress(now)

    def _stacked(self, total: int) -> OnJobProgress:
        """Hears of trials that are trained as stacks: one job that stands for all of them."""
        self._plan.begin("search", total)
        count = len(self._trials)

        def tell(job: JobProgress) -> None:
            done = self._plan.report("search", (count + (total - count) * job.share) / total)
            self._on_progress(SweepProgress("search", done, total, count, 1, [job], self.sweep))

        return tell

    def _searched(self, outcome: Outcome) -> Trial:
        """Keep the books: the study is told what the files say."""
        search, number = self._proposed.pop(outcome.job.name)
        proposal = Proposal(number, outcome.job.config)
        trial = self._folder.trial(search.defense, proposal, outcome.reason)
        self._trials[trial.name] = trial
        if trial.reason is not None or trial.cheap is None:
            search.fail(number, trial.reason or "no judgment")
        elif trial.state == "pruned":
            search.prune(number)
        else:
            search.tell(number, *trial.point, trial.upper_excess, trial.bits)
        return trial

    def _judged(self, outcome: Outcome) -> Trial:
        name = outcome.job.name
        book = self._repeats if name in self._repeats else self._trials
        book[name] = judged(book[name], outcome.reason)
        return book[name]
