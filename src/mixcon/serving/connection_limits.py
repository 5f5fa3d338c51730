"""The HTTP connection of uvicorn, with limits on how long a client may take, and how much."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mixcon.serving.admission import Admission, Visit
from mixcon.serving.compact_json import compact_json
from mixcon.serving.eager import begin
from mixcon.serving.joined_writes import JoinedWrites
from mixcon.serving.server_log import ServerLog

__all__ = ["TOO_MANY", "ConnectionRules"]

_MAX_AROUND = 65_536  # bytes of a request that are not its body: the parser knows no limit
_GRACE = 1.0  # seconds for a polite end before ours, which is not
_HOST = re.compile(rb"[A-Za-z0-9._~%-]+(:\d{0,5})?|\[[0-9A-Fa-f:.]+\](:\d{0,5})?")
_SWITCHES = {b"connection", b"upgrade", b"http2-settings"}


def _refusal(status: str, reason: str, *headers: str) -> bytes:
    """A whole answer in JSON, after which the connection ends."""
    body = compact_json({"error": reason})
    fields = (*headers, "Connection: close", "Content-Type: application/json")
    lines = (f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


TOO_MANY = _refusal("503 Service Unavailable", "too many connections are open", "Retry-After: 1")
_TOO_LONG = "431 Request Header Fields Too Large", "the headers are too large"
_NO_HTTP = "400 Bad Request", "expected HTTP/1.1, but got something else"
_NO_HOST = "400 Bad Request", "expected one valid Host header"
_NO_TUNNEL = "405 Method Not Allowed", "this server is no proxy"


@dataclass(frozen=True)
class ConnectionRules:
    """What connections of one server share.

    Attributes:
        admission: is told what they do.
        log: is told who was refused.
        timeout: seconds for a request to come in, and for an answer to be read.
    """

    admission: Admission
    log: ServerLog
    timeout: float

    def connection(self, visit: Visit, **settings: Any) -> asyncio.Protocol:
        """The protocol of one connection; `settings` are uvicorn's."""
        return _LimitedProtocol(visit, self, **settings)


class _LimitedProtocol(HttpToolsProtocol):
    """Ends connections whose request, or whose reading of the answer, takes too long.

    So does one whose headers, trailers and chunk sizes are longer than any that makes sense, and
    one that speaks no HTTP or names no host; these are told why, in JSON. An offer to switch to
    another protocol is passed over, as HTTP allows.

    A request that is there as a whole, as most are, is answered at once; others get a task.

    The time for a request runs from the moment the connection is open, then from the first byte
    of each further request, to its last byte. Between requests uvicorn's keep-alive time applies.

    Args:
        visit: the connection, as it was let in.
        rules: what it shares with others.
        settings: uvicorn's.
    """

    def __init__(self, visit: Visit, rules: ConnectionRules, **settings: Any) -> None:
        super().__init__(**settings)
        self._visit, self._rules = visit, rules
        self._deadline: asyncio.TimerHandle | None = None
        self._around = 0  # bytes of this request that are not its body
        self._offers_switch = False
        self._parsing = False
        self._unstarted: tuple[Any, Any] | None = None  # cycle and application of a request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
        self._start_deadline()
        self._visit.closed_by(transport.abort)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._start_deadline()
        self._around += len(data)
        self._parsing = True
        self._parse(data)
        self._parsing = False
        if self._around > _MAX_AROUND:
            self._refuse(*_TOO_LONG)
        if self._unstarted:
            self._start(*self._unstarted)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._parsing:  # its body may be the next thing to come out
            self._unstarted = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _start(self, cycle: Any, app: Any) -> None:
        self._unstarted = None
        task = begin(cycle.run_asgi(app), self.loop)
        if task:
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._parse_as_usual(data[stop.args[0] :])
        except httptools.HttpParserError:
            self._refuse(*_NO_HTTP)

    def _parse_as_usual(self, rest: bytes) -> None:
        """Go on without the switch: the parser took its headers to be the end of HTTP."""
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(*_NO_TUNNEL)
            return
        kept = [(name, value) for name, value in self.headers if name not in _SWITCHES]
        lines = [method + b" " + self.url + b" HTTP/1.1", *(n + b": " + v for n, v in kept)]
        self.parser = httptools.HttpRequestParser(self)
        self._offers_switch = False
        self._parse(b"\r\n".join([*lines, b"", rest]))

    def on_headers_complete(self) -> None:
        self._offers_switch = self.parser.should_upgrade()
        if self._offers_switch:
            return
        hosts = [value for name, value in self.headers if name == b"host"]
        needed = self.parser.get_http_version() == "1.1"
        if len(hosts) > 1 or (needed and not hosts) or not all(map(_HOST.fullmatch, hosts)):
            self._refuse(*_NO_HOST)
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._around -= len(body)
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offers_switch or self.transport.is_closing():
            return
        self._around = 0
        self._stop_deadline()
        self._rules.admission.works(self._visit)
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self._rules.admission.leave(self._visit)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:  # otherwise it is the next one's turn
            self._rules.admission.waits(self._visit)
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

    def _refuse(self, status: str, reason: str) -> None:
        if self.transport.is_closing():
            return
        self._rules.log.refused(self._visit.peer, reason)
        if not self._owes_an_answer():
            self.transport.write(_refusal(status, reason))
        self.transport.close()
        self._abort_soon()

    def _owes_an_answer(self) -> bool:
        """Whether a client would take what is said now for the answer to an earlier request."""
        cycle = self.cycle
        begun = cycle is not None and not cycle.response_complete
        return begun and (cycle.response_started or not cycle.more_body)

    def _abort_soon(self) -> None:
        """See that what is closing ends: an idle client does not answer the goodbye of TLS."""
        if self.transport.is_closing():
            waits = self._rules.timeout if self.flow.write_paused else _GRACE
            self.loop.call_later(waits, self.transport.abort)

    def _start_deadline(self) -> None:
        if self._deadline is None:
            waits = self._rules.timeout + _GRACE
            self._deadline = self.loop.call_later(waits, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._rules.log.refused(self._visit.peer, "it took too long")
        self.transport.abort()
