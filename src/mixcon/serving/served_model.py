"""One head, as it is served: checked representations in, logits out."""

from __future__ import annotations

import asyncio
import math
from typing import Self

from mixcon.serving.batching import Batcher, Busy
from mixcon.serving.contract import Contract
from mixcon.serving.eager import within
from mixcon.serving.export_reader import Half
from mixcon.serving.limits import ServerLimits
from mixcon.serving.runtime import session
from mixcon.serving.telemetry import Telemetry
from mixcon.serving.wire import Floats

__all__ = ["ServedModel"]

_JSON_BYTES = 32  # of one number in JSON, at most
_JSON_REST = 65_536  # bytes of JSON around the numbers


class ServedModel:
    """Runs the head of one contract on what requests bring, many at a time.

    Args:
        half: contract and head.
        limits: what it takes on.
        telemetry: told of each batch.

    Attributes:
        contract: its contract.
        sha256: the contract's hash, made once.
        stands_in_for: hash of the contract whose devices it may answer as well, if any.
        body_limit: bytes of one request at most.
    """

    def __init__(self, half: Half, limits: ServerLimits, telemetry: Telemetry) -> None:
        self.contract, self.sha256 = half.contract, half.contract.sha256
        self.stands_in_for: str | None = None
        self.body_limit = limits.max_body or _body_limit(self.contract, limits.max_batch)
        self._limits, self._telemetry = limits, telemetry
        self._session = session(half.onnx, limits.threads)
        self._outputs = [self.contract.logits.name]
        self._batcher: Batcher | None = None
        self._active, self._idle = 0, asyncio.Event()
        self._idle.set()

    @property
    def served(self) -> dict[str, str]:
        """What answers say of the contract that they come from."""
        named = {"contract_sha256": self.sha256}
        return named | ({"stands_in_for": self.stands_in_for} if self.stands_in_for else {})

    @property
    def max_rows(self) -> int:
        """Representations in one request at most."""
        return self._limits.max_batch

    def __enter__(self) -> Self:
        """It does not stop meanwhile."""
        self._active += 1
        self._idle.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._active -= 1
        if not self._active:
            self._idle.set()

    def start(self) -> None:
        """Begin to answer, in the running event loop."""
        self._batcher = Batcher(
            self._run,
            max_rows=self._limits.max_batch,
            max_delay=self._limits.max_delay,
            max_queue=self._limits.max_queue,
            on_batch=self._note_batch,
        )
        self._batcher.start()

    async def stop(self) -> None:
        """Answer what was taken, then end."""
        await self._idle.wait()
        if self._batcher is not None:
            await self._batcher.stop()
            self._batcher = None

    async def logits(self, z: Floats) -> Floats:
        """Of representations (N, ...), N at most `max_rows`: (N, classes).

        Raises:
            Busy: the queue is full.
            TimeoutError: the head did not answer in time.
        """
        if self._batcher is None:
            raise Busy
        logits = self._batcher.at_once(z)
        if logits is not None:
            return logits
        return await within(self._limits.answer_timeout, self._batcher.submit(z))

    def _run(self, z: Floats) -> Floats:
        (logits,) = self._session.run(self._outputs, {"z": z})
        return logits  # type: ignore[no-any-return]

    def _note_batch(self, rows: int) -> None:
        self._telemetry.note_batch(rows, self._batcher.queued if self._batcher else 0)


def _body_limit(contract: Contract, rows: int) -> int:
    numbers = math.prod(contract.representation.shape)
    return _JSON_REST + rows * numbers * _JSON_BYTES
