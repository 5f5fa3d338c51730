"""Dynamic batching: requests that wait at the same time go through the head together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mixcon.serving.wire import Floats

__all__ = ["Batcher", "Busy"]


_AT_ONCE = 0.0005  # seconds that others may be held up: no more than a thread would cost
_REMEMBERED = 16  # batches: on a busy machine, some take long for no reason of their own


class Busy(Exception):  # noqa: N818  a state, not an error: the client shall come back
    """The queue is full."""


@dataclass
class _Waiting:
    z: Floats
    answer: asyncio.Future[Floats]


class Batcher:
    """Takes what is queued, up to a number of rows, and runs it at once, in a thread of its own.

    Small requests that find nobody waiting need neither. While the head runs, further requests
    queue up and make the next batch; an idle head waits for company no longer than `max_delay`.
    The queue is bounded: what does not fit is refused.

    Args:
        run: maps representations (N, ...) to logits (N, classes), row by row.
        max_rows: rows in one batch at most.
        max_delay: seconds that a request may wait for others while the head is idle.
        max_queue: rows that may wait, at least `max_rows`.
        on_batch: told the rows of each batch.
    """

    def __init__(
        self,
        run: Callable[[Floats], Floats],
        *,
        max_rows: int,
        max_delay: float,
        max_queue: int,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._run = run
        self._max_rows, self._max_delay, self._max_queue = max_rows, max_delay, max_queue
        self._on_batch = on_batch
        self._queue: deque[_Waiting] = deque()
        self.queued = 0  # rows
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="head")
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._row_seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def start(self) -> None:
        """Begin to work, in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """Finish what was queued, then end."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    def at_once(self, z: Floats) -> Floats | None:
        """The logits of representations, if nobody waits and they take hardly any time."""
        if self._queue or self._max_delay or not self._row_seconds:
            return None
        if min(self._row_seconds) * len(z) > _AT_ONCE:
            return None
        self._on_batch(len(z))
        return self._timed(z)

    async def submit(self, z: Floats) -> Floats:
        """The logits of representations (N, ...), with N at most `max_rows`.

        Raises:
            Busy: the queue is full.
        """
        if self.queued + len(z) > self._max_queue:
            raise Busy
        waiting = _Waiting(z, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self.queued += len(z)
        self._arrived.set()
        return await waiting.answer

    async def _work(self) -> None:
        while True:
            await self._wait_for_requests()
            batch = self._take()
            if batch:
                await self._answer(batch)
            elif self._closing:
                return

    async def _wait_for_requests(self) -> None:
        """Wait for a first request, and then, not too long, for more."""
        await self._arrived.wait()
        deadline = asyncio.get_running_loop().time() + self._max_delay
        while self._max_delay and self.queued < self._max_rows and not self._closing:
            self._arrived.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._arrived.wait()
            except TimeoutError:
                break

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows = 0
        while self._queue and rows + len(self._queue[0].z) <= self._max_rows:
            waiting = self._queue.popleft()
            self.queued -= len(waiting.z)
            if not waiting.answer.done():  # its client gave up
                batch.append(waiting)
                rows += len(waiting.z)
        if self._queue:
            self._arrived.set()
        else:
            self._arrived.clear()
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        z = np.concatenate([waiting.z for waiting in batch]) if len(batch) > 1 else batch[0].z
        self._on_batch(len(z))
        try:
            logits = await asyncio.get_running_loop().run_in_executor(self._thread, self._timed, z)
        except Exception as error:  # each client shall hear of it, and the worker live on
            _fail(batch, error)
            return
        ends = np.cumsum([len(waiting.z) for waiting in batch])
        for waiting, part in zip(batch, np.split(logits, ends[:-1]), strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(part)

    def _timed(self, z: Floats) -> Floats:
        started = time.perf_counter()
        try:
            return self._run(z)
        finally:
            self._row_seconds.append((time.perf_counter() - started) / len(z))


def _fail(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
