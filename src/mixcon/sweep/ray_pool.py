"""Workers on many machines: a Ray cluster, where a lost node means that its jobs run again."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mixcon._files import write_whole
from mixcon.errors import ConfigError
from mixcon.sweep.job import Job, attempt
from mixcon.sweep.pool import Outcome
from mixcon.sweep.progress import JobProgress

__all__ = ["RayPool"]

_RETRIES = 3  # a job that lost so many nodes may well be what brings them down

Files = dict[str, bytes]


class RayPool:
    """The machines of a Ray cluster, each with mixcon installed and the data in the same place.

    A job carries its files along and brings back what it made of them, so that the machines need
    no file system in common.
    """

    def __init__(self, address: str, *, gpu: bool = False) -> None:
        """Connect to the cluster.

        Args:
            address: as `ray.init` takes it: ``auto``, ``HOST:6379`` or ``ray://HOST:10001``.
            gpu: whether each job takes one of the cluster's GPUs, besides a core.

        Raises:
            ConfigError: Ray is not installed, there is no cluster at the address, or none of its
                machines has what a job takes.
        """
        self._ray = ray = _import_ray()
        try:
            _reach(address)
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
        except OSError as error:
            raise ConfigError(
                f"expected a Ray cluster at {address}, but got: {error}; start one with "
                "`ray start --head`"
            ) from error
        options = {"num_cpus": 1, "num_gpus": int(gpu), "max_retries": _RETRIES}
        self._kind = "GPU" if gpu else "CPU"
        self._remote = ray.remote(**options)(run_elsewhere)
        self._jobs: dict[Any, Job] = {}
        if not self.free:
            self.close()
            raise ConfigError(f"expected a Ray cluster with a {self._kind}, but {address} has none")

    @property
    def running(self) -> int:
        """How many jobs are on their way."""
        return len(self._jobs)

    @property
    def free(self) -> int:
        """How many jobs can start at once, as the cluster stands now."""
        return max(0, int(self._ray.cluster_resources().get(self._kind, 0)) - self.running)

    @property
    def progress(self) -> list[JobProgress]:
        """Nothing: jobs of a cluster are heard of when they end."""
        return []

    def submit(self, job: Job) -> None:
        """Send a job off with the files that it goes on from."""
        self._jobs[self._remote.remote(job, _read(job.folder))] = job

    def wait(self, seconds: float) -> list[Outcome]:
        """What ended, waiting at most so long for the first; its files are here then."""
        ready, _ = self._ray.wait(list(self._jobs), timeout=seconds)
        return [self._outcome(reference) for reference in ready]

    def close(self) -> None:
        """Cancel all that runs, and leave the cluster."""
        for reference in self._jobs:
            self._ray.cancel(reference, force=True)
        self._jobs.clear()
        self._ray.shutdown()

    def _outcome(self, reference: Any) -> Outcome:
        job = self._jobs.pop(reference)
        try:
            reason, files = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            lost = str(error).partition("\n")[0]
            return Outcome(job, f"lost {_RETRIES + 1} times in the cluster: {lost}")
        _write(job.folder, files)
        return Outcome.of(job, reason)


def run_elsewhere(job: Job, files: Files) -> tuple[str | OSError | None, Files]:
    """Run a job in a folder of this machine's own; the reason if it fails, and its files."""
    with TemporaryDirectory(prefix="mixcon-") as place:
        folder = Path(place) / "run"
        _write(folder, files)
        reason = attempt(replace(job, folder=folder))
        made = _read(folder)
        return reason, {name: content for name, content in made.items() if name not in files}


def _read(folder: Path) -> Files:
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def _write(folder: Path, files: Files) -> None:
    """The judgment last: where it is, the rest is too."""
    for name in sorted(files, key=lambda name: name.endswith(".json")):
        write_whole(folder / name, files[name])


def _reach(address: str) -> None:
    """Fail at once where Ray would try for a quarter of an hour."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()  # [::1] is IPv6


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_NUM_REDIS_GET_RETRIES", "1")  # 41 seconds each
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            "expected Ray for --ray, but it is not installed; pip install 'mixcon[ray]'"
        ) from error
    return ray
