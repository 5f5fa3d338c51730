"""The parts of a recording that can be done by a process of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import torch

from mixcon.attacks import Decoder
from mixcon.audit import AuditProgress, run_audit
from mixcon.data import Splits, load
from mixcon.leaderboard.board_audit import audit_for_board, named
from mixcon.reports import write_report
from mixcon.training import Progress, RunFolder, TrainConfig, train

__all__ = ["AuditJob", "TrainingJob", "in_parallel"]


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
    """One audit of some runs, which share what is prepared.

    Attributes:
        data: name of the data set.
        runs: run folders.
        folder: where the report is written.
        keep: folder of finished attacks.
        data_dir: where local Parquet files lie.
        accelerator: as Lightning Fabric names it.
        smoke: the path in small.
    """

    data: str
    runs: tuple[Path, ...]
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
        """Attack the models; `splits` are the data, if they are at hand."""
        data = splits or load(self.data, data_dir=self.data_dir)
        if not self.smoke:
            audit_for_board(
                self.runs,
                data,
                self.folder,
                keep=self.keep,
                accelerator=self.accelerator,
                on_progress=on_progress,
            )
            return
        subjects = [named(run, data, self.accelerator) for run in self.runs]
        attacks = [Decoder(steps=60)]
        report, gallery = run_audit(subjects, data, attacks, victims=40, on_progress=on_progress)
        write_report(report, gallery, self.folder)


def in_parallel(
    jobs: Sequence[TrainingJob | AuditJob], workers: int, on_progress: Callable[[float], None]
) -> None:
    """Do all of the jobs, so many at once; the cores are shared out.

    Args:
        jobs: what is to be done.
        workers: how many processes.
        on_progress: told the share of the jobs that are done.

    Raises:
        MixconError: as the first job that fails; those that have not begun are left out.
    """
    threads = max(1, torch.get_num_threads() // workers)
    context = multiprocessing.get_context("forkserver")  # a process that computes cannot be forked
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(workers, context, torch.set_num_threads, (threads,)) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            for count, future in enumerate(as_completed(running), start=1):
                future.result()
                on_progress(count / len(running))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
