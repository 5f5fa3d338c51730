"""Workers on this machine: processes that share its cores, each with one job at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

import torch

from mixcon._cores import cores
from mixcon._fork_server import fork_server
from mixcon.sweep.job import Job, OnJobProgress, attempt
from mixcon.sweep.progress import JobProgress

__all__ = ["LocalPool", "Outcome", "Pool"]

_STOP_SECONDS = 5.0
_TELL_SECONDS = 0.5  # a worker need not speak more often


@dataclass(frozen=True)
class Outcome:
    """How a job ended: with its result file, or with a reason why not.

    Attributes:
        job: the job.
        reason: why it failed, if it did.
        refused: a full disk, which is no fault of the job: it is to be run again.
    """

    job: Job
    reason: str | None = None
    refused: OSError | None = None

    @classmethod
    def of(cls, job: Job, said: str | OSError | None) -> Outcome:
        """From what `attempt` says."""
        return cls(job, refused=said) if isinstance(said, OSError) else cls(job, said)


class Pool(Protocol):
    """What runs jobs: this machine's cores, or a cluster."""

    @property
    def free(self) -> int:
        """How many jobs can start at once."""

    @property
    def running(self) -> int:
        """How many jobs are on their way."""

    @property
    def progress(self) -> Sequence[JobProgress]:
        """Where jobs on their way stand, as far as they say."""

    def submit(self, job: Job) -> None:
        """Start a job; it must be `free` to."""

    def wait(self, seconds: float) -> list[Outcome]:
        """What ended, waiting at most so long for the first news."""

    def close(self) -> None:
        """Stop all that runs; what is not finished goes on in the next sweep."""


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    job: Job | None = None
    progress: JobProgress | None = None


class LocalPool:
    """Processes on this machine.

    A worker that dies, out of memory say, costs its own job alone: another takes its place. If
    the sweep is killed, its workers end with it.
    """

    def __init__(self, workers: int, threads: int | None = None) -> None:
        """Start nothing yet.

        Args:
            workers: how many jobs run at once, at least 1.
            threads: CPU threads of each; by default the cores are shared out.
        """
        self._size = workers
        self._threads = threads or max(1, cores() // workers)
        self._workers: list[_Worker] = []

    @property
    def running(self) -> int:
        """How many jobs are on their way."""
        return sum(worker.job is not None for worker in self._workers)

    @property
    def free(self) -> int:
        """How many jobs can start at once."""
        return self._size - self.running

    @property
    def progress(self) -> list[JobProgress]:
        """Where the jobs on their way stand, as far as they have said."""
        return [worker.progress for worker in self._workers if worker.progress]

    def submit(self, job: Job) -> None:
        """Hand a job to an idle worker, or to a new one."""
        idle = [worker for worker in self._workers if worker.job is None]
        worker = idle[0] if idle else self._start()
        worker.job = job
        worker.pipe.send(job)

    def wait(self, seconds: float) -> list[Outcome]:
        """What ended, waiting at most so long for the first news of any worker."""
        busy = {worker.pipe: worker for worker in self._workers if worker.job}
        ready = connection.wait(list(busy), seconds)
        heard = [self._hear(busy[pipe]) for pipe in ready if isinstance(pipe, Connection)]
        return [outcome for outcome in heard if outcome]

    def close(self) -> None:
        """Stop all workers."""
        for worker in self._workers:
            worker.process.terminate()  # first: a worker that speaks must not find its pipe closed
        for worker in self._workers:
            worker.pipe.close()
            worker.process.join(_STOP_SECONDS)
            worker.process.kill()
        self._workers.clear()

    def _hear(self, worker: _Worker) -> Outcome | None:
        """What a worker says: how its job ended; None where it only says how far it is."""
        job = worker.job
        assert job is not None  # noqa: S101  only busy workers are waited for
        try:
            said = worker.pipe.recv()
        except (EOFError, OSError):  # between two messages, or in the midst of one
            worker.process.join()
            self._workers.remove(worker)
            return Outcome(job, _died(worker.process.exitcode))
        if isinstance(said, JobProgress):
            worker.progress = said
            return None
        worker.job = worker.progress = None
        return Outcome.of(job, said)

    def _start(self) -> _Worker:
        context = fork_server("mixcon.sweep.job")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._threads), daemon=True)
        # Threads that wait for each other leave their core to others, instead of spinning on it.
        with _environment(OMP_NUM_THREADS=str(self._threads), OMP_WAIT_POLICY="PASSIVE"):
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker


class _environment:  # noqa: N801  a context manager that reads as a verb
    """Environment variables that a child inherits, and this process does not keep."""

    def __init__(self, **values: str) -> None:
        self._values, self._before = values, {name: os.environ.get(name) for name in values}

    def __enter__(self) -> None:
        os.environ.update(self._values)

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _died(code: int | None) -> str:
    how = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"ended ({code})"
    memory = "; the machine may be out of memory: try fewer --workers" if code == -9 else ""
    return f"its worker process {how}{memory}"


def _work(pipe: Connection, threads: int) -> None:
    """Serve jobs until the sweep hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the sweep, which then stops us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    logging.getLogger("mixcon.data").setLevel(logging.ERROR)  # the sweep itself has said it
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        _send(pipe, attempt(job, _teller(pipe)))


def _teller(pipe: Connection) -> OnJobProgress:
    """Tells the sweep of a job's progress now and then, and of each new thing that it does."""
    what, last = "", 0.0

    def tell(progress: JobProgress) -> None:
        nonlocal what, last
        now = time.monotonic()
        if progress.what != what or now - last >= _TELL_SECONDS:
            what, last = progress.what, now
            _send(pipe, progress)

    return tell


def _send(pipe: Connection, message: JobProgress | str | OSError | None) -> None:
    """Speak to the sweep; where it is gone, end: the next sweep goes on with the job."""
    try:
        pipe.send(message)
    except OSError:
        os._exit(1)


def _end_with_parent() -> None:
    """Two sweeps must never write to one folder: no worker outlives a sweep that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
