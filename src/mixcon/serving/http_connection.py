"""HTTP/1.1 towards a server that is not trusted: every part of an answer has a limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import h11

from mixcon.errors import WireError

__all__ = ["Answer", "ByteStream", "HttpConnection"]

_HEADERS = 32_768  # bytes of an answer's headers, of its trailers and of one chunk's size
_REST = 131_072  # bytes of an answer that are not its body
_INTERIM = 8  # answers that say that the answer comes


class ByteStream(Protocol):
    """What carries the bytes; deadlines are its own affair."""

    def send(self, data: bytes) -> None:
        """Send all of it."""

    def receive(self) -> bytes:
        """What comes next; nothing at the end."""


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        status: of HTTP.
        headers: values by names in lower case; of several of one name, the last.
        body: its bytes.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection:
    """Requests on one connection, one after the other.

    Args:
        stream: the connection.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADERS)

    @property
    def is_open(self) -> bool:
        """Whether the server lets another request follow, and has not answered it already."""
        idle = self._http.states == {h11.CLIENT: h11.IDLE, h11.SERVER: h11.IDLE}
        return idle and not self._http.trailing_data[0]

    def ask(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes, most: int
    ) -> Answer:
        """Send a request, and read its answer.

        Args:
            method: of HTTP.
            target: path, or host and port for CONNECT.
            headers: all of them, but for Content-Length.
            body: may be empty.
            most: bytes of the answer's body at most.

        Raises:
            h11.RemoteProtocolError: what came is no HTTP/1.1, or not all of it came.
            WireError: the answer is too large, or coded.
            OSError: as the stream says.
        """
        length = [("Content-Length", str(len(body)))] if body else []
        request = h11.Request(method=method, target=target, headers=[*headers, *length])
        # One piece: small requests take one packet.
        self._stream.send(
            (self._http.send(request) or b"")
            + (self._http.send(h11.Data(data=body)) or b"")
            + (self._http.send(h11.EndOfMessage()) or b"")
        )
        answer = self._read(most)
        if self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._http.start_next_cycle()
        return answer

    def _read(self, most: int) -> Answer:
        next_event, body = self._events(most), bytearray()
        response = self._final(next_event)
        headers = {name.decode(): value.decode("latin1") for name, value in response.headers}
        _check_headers(headers, most)
        if response.status_code == 200 and self._http.our_state is h11.SWITCHED_PROTOCOL:
            return Answer(200, headers, b"")  # a tunnel is open
        while isinstance(event := next_event(), h11.Data):
            body += event.data
            if len(body) > most:
                raise WireError(f"expected an answer of at most {most} bytes, but got more")
        if not isinstance(event, h11.EndOfMessage):
            raise h11.RemoteProtocolError("the answer has no end")
        return Answer(response.status_code, headers, bytes(body))

    def _events(self, most: int) -> Callable[[], object]:
        """What comes, event by event, and no more bytes than an answer can have."""
        came = 0

        def next_event() -> object:
            nonlocal came
            while (event := self._http.next_event()) is h11.NEED_DATA:
                piece = self._stream.receive()
                came += len(piece)
                if came > 2 * most + _REST:  # a chunk of one byte takes six
                    raise WireError(f"expected an answer of at most {most} bytes, but got more")
                self._http.receive_data(piece)
            return event

        return next_event

    @staticmethod
    def _final(next_event: Callable[[], object]) -> h11.Response:
        """The answer's head, behind those that say that it comes."""
        for _ in range(_INTERIM):
            event = next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                break
        raise h11.RemoteProtocolError("expected an answer, but none came")


def _check_headers(headers: dict[str, str], most: int) -> None:
    coding = headers.get("content-encoding", "identity")
    if coding.strip().lower() not in ("", "identity"):
        raise WireError(f"expected an answer as it is, but it is coded as {coding[:40]!r}")
    length = headers.get("content-length", "0")  # digits, as h11 lets no others through
    if int(length) > most:
        raise WireError(f"expected an answer of at most {most} bytes, but it announces {length}")
