"""The parts of a recording that can be done by a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch

from mixcon._cores import cores
from mixcon._fork_server import fork_server
from mixcon.attacks import Decoder
from mixcon.audit import AuditProgress, run_audit
from mixcon.data import Splits, load
from mixcon.leaderboard.board_audit import audit_for_board, named
from mixcon.reports import write_report
from mixcon.training import Progress, RunFolder, TrainConfig, train

__all__ = ["AuditJob", "Chain", "TrainingJob", "in_parallel"]

Chain: TypeAlias = Iterator[Sequence["TrainingJob | AuditJob"]]
"""Stages of jobs, one after the other."""


@dataclass(frozen=True)
class TrainingJob:
    """One training run.

    Attributes:
        config: what is trained.
        folder: the run folder.
        data_dir: where local Parquet files lie.
        accelerator: as Lightning Fabric names it.
    """

    config: TrainConfig
    folder: Path
    data_dir: Path | None
    accelerator: str

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return RunFolder(self.folder).finished

    def __call__(self, on_progress: Callable[[Progress], None] = lambda _: None) -> None:
        """Train, or go on where it stopped."""
        train(
            self.config,
            self.folder,
            data_dir=self.data_dir,
            accelerator=self.accelerator,
            on_progress=on_progress,
        )


@dataclass(frozen=True)
class AuditJob:
    """One audit of a run.

    Attributes:
        data: name of the data set.
        run: the run folder.
        folder: where the report is written.
        keep: folder of finished attacks.
        data_dir: where local Parquet files lie.
        accelerator: as Lightning Fabric names it.
        smoke: the path in small.
    """

    data: str
    run: Path
    folder: Path
    keep: Path
    data_dir: Path | None
    accelerator: str
    smoke: bool

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return (self.folder / "report.json").is_file()

    def __call__(
        self,
        on_progress: Callable[[AuditProgress], None] = lambda _: None,
        splits: Splits | None = None,
    ) -> None:
        """Attack the model; `splits` are the data, if they are at hand."""
        data = splits or load(self.data, data_dir=self.data_dir)
        if not self.smoke:
            audit_for_board(
                [self.run],
                data,
                self.folder,
                keep=self.keep,
                accelerator=self.accelerator,
                on_progress=on_progress,
            )
            return
        subjects = [named(self.run, data, self.accelerator)]
        attacks = [Decoder(steps=60)]
        report, gallery = run_audit(subjects, data, attacks, victims=40, on_progress=on_progress)
        write_report(report, gallery, self.folder)


def in_parallel(chains: Sequence[Chain], workers: int) -> None:
    """Do the jobs of all chains, so many at once; the cores are shared out.

    Args:
        chains: the stages of each: its jobs begin when those of the stage before are done. The
            same job in several chains is done once.
        workers: how many processes.

    Raises:
        MixconError: as the first job that fails; those that have not begun are left out.
    """
    threads = max(1, cores() // workers)
    server = fork_server(__name__)
    with ProcessPoolExecutor(workers, server, torch.set_num_threads, (threads,)) as pool:
        begun: dict[Path, Future[None]] = {}
        waiting: list[tuple[Chain, set[Future[None]]]] = [(chain, set()) for chain in chains]
        try:
            while waiting:
                moved = ((chain, _moved(chain, each, begun, pool)) for chain, each in waiting)
                waiting = [(chain, left) for chain, left in moved if left]
                wait({each for _, left in waiting for each in left}, return_when=FIRST_COMPLETED)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _moved(
    chain: Chain,
    waited: set[Future[None]],
    begun: dict[Path, Future[None]],
    pool: ProcessPoolExecutor,
) -> set[Future[None]]:
    """What a chain waits for, once what is done has led to the next stage; nothing at its end."""
    left = {each for each in waited if not each.done()}
    for each in waited - left:
        each.result()
    while not left:
        stage = next(chain, None)
        if stage is None:
            break
        for job in stage:
            if not job.done and job.folder not in begun:
                begun[job.folder] = pool.submit(job)
        left = {begun[job.folder] for job in stage if not job.done}
    return left
