"""Every request has an id, a line in the log and a place in the metrics, whatever brought it."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

from mixcon.serving.contract import Contract
from mixcon.serving.server_log import ServerLog
from mixcon.serving.telemetry import Telemetry
from mixcon.serving.tracing import Tracing

__all__ = ["REQUEST_ID", "Exchange", "Records", "id_of"]

REQUEST_ID = "x-request-id"
_NOTHING: AbstractContextManager[None] = nullcontext()
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(slots=True)
class Exchange:
    """One request, and what came of it.

    Attributes:
        protocol: what brought it.
        peer: who asked.
        method: of HTTP or gRPC.
        path: what was asked for.
        id: what the client calls it, or a new one.
        status: of HTTP, or what it would be; 0 while there is none.
        received: bytes of its body, as they came.
        is_inference: whether it counts as a request in the metrics.
        served: the contract that answered, once that is known.
        trace: id of the trace that it belongs to, if traces are sent.
    """

    protocol: Literal["http", "grpc"]
    peer: str
    method: str
    path: str
    id: str
    status: int = 0
    received: int = 0
    is_inference: bool = False
    served: Contract | None = field(default=None, repr=False)
    trace: str | None = None

    @property
    def model(self) -> str:
        """Its name, or nothing."""
        return self.served.name if self.served else ""

    @property
    def version(self) -> str:
        """Its version, or nothing."""
        return self.served.version if self.served else ""


def id_of(given: str | None) -> str:
    """What a client calls its request, if that is harmless, or a new id."""
    return given if given and _ID.fullmatch(given) else f"{random.getrandbits(64):016x}"


class Records:
    """Writes down what came of requests.

    Args:
        log: gets a line for each.
        telemetry: counts those for inference.
        tracing: sends spans of them, if any.
    """

    def __init__(
        self, log: ServerLog, telemetry: Telemetry, tracing: Tracing | None = None
    ) -> None:
        self._log, self._telemetry, self._tracing = log, telemetry, tracing

    def of(
        self, exchange: Exchange, header: Callable[[str], str | None]
    ) -> AbstractContextManager[None]:
        """As long as it takes.

        Args:
            exchange: the request.
            header: value of a header of the request, if there is one.
        """
        trace = self._tracing.request(exchange, header) if self._tracing else _NOTHING
        return _Record(exchange, trace, self._note)

    def step(self, name: str) -> AbstractContextManager[Any]:
        """A step of the request at hand, for its trace."""
        return self._tracing.step(name) if self._tracing else _NOTHING

    def close(self) -> None:
        """Send what is left."""
        if self._tracing:
            self._tracing.close()

    def _note(self, exchange: Exchange, seconds: float) -> None:
        if exchange.is_inference:
            labels = (str(exchange.status), exchange.model, exchange.version, exchange.protocol)
            self._telemetry.note_request(labels, exchange.received, seconds)
        if self._log.is_kept:
            served = {"model": exchange.model, "version": exchange.version}
            trace = {"trace": exchange.trace} if exchange.trace else {}
            self._log.request(
                id=exchange.id,
                status=exchange.status,
                received=exchange.received,
                peer=exchange.peer,
                protocol=exchange.protocol,
                method=exchange.method,
                path=exchange.path,
                **(served if exchange.served else {}),
                **trace,
                seconds=round(seconds, 6),
            )


class _Record:
    """Notes how long an exchange took; a generator would cost three times as much."""

    __slots__ = ("_exchange", "_note", "_started", "_trace")

    def __init__(
        self,
        exchange: Exchange,
        trace: AbstractContextManager[None],
        note: Callable[[Exchange, float], None],
    ) -> None:
        self._exchange, self._trace, self._note = exchange, trace, note

    def __enter__(self) -> None:
        self._started = time.perf_counter()
        self._trace.__enter__()

    def __exit__(self, *raised: Any) -> None:
        try:
            self._trace.__exit__(*raised)
        finally:
            self._note(self._exchange, time.perf_counter() - self._started)
