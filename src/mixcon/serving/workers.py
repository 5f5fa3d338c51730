"""Several processes that serve on one port: the kernel deals connections out among them."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from prometheus_client import multiprocess

from mixcon.errors import ConfigError
from mixcon.serving.server import CloudServer
from mixcon.serving.telemetry import SHARED_FOLDER

__all__ = ["Workers"]

_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD}
_PATIENCE = 60.0  # seconds for a worker to end

Told = Callable[[str], object]


@dataclass(frozen=True)
class _Worker:
    process: SpawnProcess
    pipe: Connection  # it says when the worker has started; its end, that we are gone


class Workers:
    """Processes that share one port, are reloaded and stopped together, and replaced if they end.

    Args:
        make: makes the server of one worker, with its part of the limits; it is pickled.
        host: address to listen on.
        ports: of HTTP and, if it is served, of gRPC, as bound before by sockets that are still
            open.
        count: how many.
        on_reload: told in words by each worker what came of a reload; pickled.
    """

    def __init__(
        self,
        make: Callable[[], CloudServer],
        host: str,
        ports: Sequence[int],
        count: int,
        on_reload: Told,
    ) -> None:
        self._job = (make, host, ports, on_reload)
        self._count = count
        self._workers: list[_Worker] = []

    def run(self, on_start: Callable[[], object], on_restart: Callable[[], object]) -> None:
        """Serve until SIGTERM or Ctrl-C, then finish what was taken; SIGHUP reloads.

        Args:
            on_start: told when all workers take requests.
            on_restart: told when one had ended and was started again.

        Raises:
            ConfigError: a worker does not start.
        """
        with _noted_signals() as next_signal, _shared_metrics():
            try:
                self._workers = [self._start() for _ in range(self._count)]
                for worker in self._workers:
                    self._wait(worker)
                on_start()
                while (number := next_signal()) not in {signal.SIGINT, signal.SIGTERM}:
                    if number == signal.SIGHUP:
                        self._send(signal.SIGHUP)
                    else:
                        self._replace_ended(on_restart)
            finally:
                self._send(signal.SIGTERM)
                for worker in self._workers:
                    worker.process.join(_PATIENCE)
                    worker.process.kill()

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(*self._job, theirs), daemon=True)
        with _blocked_signals():
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _wait(self, worker: _Worker) -> None:
        try:
            worker.pipe.recv()
        except EOFError as error:
            raise ConfigError("expected every worker to start, but one ended before") from error

    def _replace_ended(self, on_restart: Callable[[], object]) -> None:
        for i, worker in enumerate(self._workers):
            if not worker.process.is_alive():
                multiprocess.mark_process_dead(worker.process.pid)  # type: ignore[no-untyped-call]
                self._workers[i] = self._start()
                self._wait(self._workers[i])
                on_restart()

    def _send(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.process.is_alive() and worker.process.pid:
                os.kill(worker.process.pid, number)


def _serve(
    make: Callable[[], CloudServer],
    host: str,
    ports: Sequence[int],
    on_reload: Told,
    pipe: Connection,
) -> None:
    """One worker."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    server = make()
    listener, *others = [server.bind(host, port, shared=True)[0] for port in ports]
    for other in others:
        server.add_grpc(other)

    def started() -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.fileno(), _end, server, loop, pipe)
        pipe.send(True)

    server.run(listener, started, on_reload)


def _end(server: CloudServer, loop: asyncio.AbstractEventLoop, pipe: Connection) -> None:
    """The parent is gone, by whatever way."""
    loop.remove_reader(pipe.fileno())
    server.uvicorn.should_exit = True


@contextmanager
def _noted_signals() -> Iterator[Callable[[], int]]:
    """What gives signals, one after the other, whichever thread the system hands them to."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    file = signal.set_wakeup_fd(writer)
    try:
        yield lambda: os.read(reader, 1)[0]
    finally:
        signal.set_wakeup_fd(file)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


@contextmanager
def _blocked_signals() -> Iterator[None]:
    """A worker that starts hears none before it is ready to."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A folder in which the workers count together."""
    with tempfile.TemporaryDirectory(prefix="mixcon-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]
