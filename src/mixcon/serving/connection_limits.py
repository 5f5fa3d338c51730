"""The HTTP connection of uvicorn, with limits on how long a client may take, and how much."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["limited_protocol"]

_MAX_AROUND = 65_536  # bytes of a request that are not its body: the parser knows no limit
_GRACE = 1.0  # seconds for a polite end before ours, which is not


def _refusal(status: str, reason: str, *headers: str) -> bytes:
    """A whole answer in JSON, after which the connection ends."""
    body = json.dumps({"error": reason}, separators=(",", ":"))
    fields = (*headers, "Connection: close", "Content-Type: application/json")
    lines = (f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", body)
    return "\r\n".join(lines).encode()


_FULL = _refusal("503 Service Unavailable", "too many connections are open", "Retry-After: 1")
_TOO_LONG = _refusal("431 Request Header Fields Too Large", "the headers are too large")


class _LimitedProtocol(HttpToolsProtocol):
    """Ends connections whose request, or whose reading of the answer, takes too long.

    So does one whose headers, trailers and chunk sizes are longer than any that makes sense.

    The time for a request runs from the moment the connection is open, then from the first byte
    of each further request, to its last byte. Between requests uvicorn's keep-alive time applies.
    """

    timeout: ClassVar[float]
    most: ClassVar[int]
    _deadline: asyncio.TimerHandle | None = None
    _around = 0  # bytes of this request that are not its body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._start_deadline()
        self._around += len(data)
        super().data_received(data)
        if self._around > _MAX_AROUND and not self.transport.is_closing():
            self.transport.write(_TOO_LONG)
            self.transport.close()

    def on_body(self, body: bytes) -> None:
        self._around -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._around = 0
        self._stop_deadline()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._abort_soon()

    def shutdown(self) -> None:
        super().shutdown()
        self._abort_soon()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_deadline()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_deadline()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._abort_soon()

    def _abort_soon(self) -> None:
        """See that what is closing ends: an idle client does not answer the goodbye of TLS."""
        if self.transport.is_closing():
            waits = self.timeout if self.flow.write_paused else _GRACE
            self.loop.call_later(waits, self.transport.abort)

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.timeout + _GRACE, self.transport.abort)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def limited_protocol(timeout: float, most: int) -> type[HttpToolsProtocol]:
    """The protocol class for these limits.

    Args:
        timeout: seconds for a request to come in, and for an answer to be read.
        most: open connections; further ones are told to come back.
    """
    attributes: dict[str, Any] = {"timeout": timeout, "most": most}
    return type("LimitedProtocol", (_LimitedProtocol,), attributes)
