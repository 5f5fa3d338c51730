"""Connections of gRPC come in through the same door as those of HTTP, and under the same rules.

The library of gRPC accepts connections uncounted, and keeps its certificates. So it listens on a
socket in a folder of this process alone; what comes in, after TLS, is passed on to it byte by byte.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

from mixcon.serving.admission import Admission, Visit
from mixcon.serving.batching import Busy
from mixcon.serving.budget import Budget
from mixcon.serving.http2_frames import DATA, HEADERS, PREFACE, RESET, FrameReader, Piece
from mixcon.serving.request_bodies import Charge

__all__ = ["Tunnels"]

_GRACE = 1.0  # seconds for a polite end


class Tunnels:
    """All connections of gRPC.

    Args:
        folder: of this process alone; the socket of gRPC is in it.
        admission: is told what they do.
        memory: bytes of requests that are not complete.
        timeout: seconds for a request to come in.
    """

    def __init__(self, folder: Path, admission: Admission, memory: Budget, timeout: float) -> None:
        self.folder, self.admission, self.memory, self.timeout = folder, admission, memory, timeout
        self._numbers = itertools.count(1)
        self._peers: dict[str, str] = {}

    @property
    def address(self) -> str:
        """Where gRPC has to listen."""
        return f"unix:{self._socket}"

    @property
    def _socket(self) -> Path:
        return self.folder / "grpc"

    def peer_of(self, name: str) -> str:
        """Whose a connection is, by the name that gRPC has for it."""
        return self._peers.get(name.removeprefix("unix:"), "")

    def connection(self, visit: Visit) -> asyncio.Protocol:
        """The protocol of one connection."""
        return _Outside(visit, self)

    async def connect(self, visit: Visit, make: Callable[[], asyncio.Protocol]) -> str:
        """Connect to gRPC under a name that says who it is; forget the name with `forget`."""
        name = str(self.folder / str(next(self._numbers)))
        inner = socket.socket(socket.AF_UNIX)
        inner.setblocking(False)
        try:
            inner.bind(name)
            Path(name).unlink()
            loop = asyncio.get_running_loop()
            await loop.sock_connect(inner, str(self._socket))
            self._peers[name] = visit.peer
            await loop.create_unix_connection(make, sock=inner)
        except BaseException:
            self.forget(name)
            inner.close()
            raise
        return name

    def forget(self, name: str) -> None:
        """The connection of this name is gone."""
        self._peers.pop(name, None)


class _End(asyncio.Protocol):
    """One end of a tunnel: what comes goes out at the other, no faster than that takes it."""

    def __init__(self, watch: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        self._watch, self._closed = watch, closed
        self.transport: asyncio.Transport | None = None
        self.other: _End | None = None
        self._early = b""  # came while the other end was not there

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is not derived from it

    def data_received(self, data: bytes) -> None:
        self._watch(data)
        if self.other and self.other.transport:
            self.other.transport.write(data)
        elif self.transport:
            self._early += data
            self.transport.pause_reading()

    def go_on(self) -> None:
        """The other end is there."""
        early, self._early = self._early, b""
        if self.transport and self.other and self.other.transport:
            self.other.transport.write(early)
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed()


class _Outside(_End):
    """The end towards the client, and the rules of the connection."""

    def __init__(self, visit: Visit, tunnels: Tunnels) -> None:
        super().__init__(self._from_client, self._end)
        self._visit, self._tunnels = visit, tunnels
        self._requests, self._answers = FrameReader(len(PREFACE)), FrameReader()
        self._coming: dict[int, tuple[float, Charge]] = {}  # by stream, the oldest first
        self._in_work: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._name: str | None = None
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._loop, own = asyncio.get_running_loop(), cast("asyncio.Transport", transport)
        self._visit.closed_by(own.abort)
        self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        inside = _End(self._from_server, self._end)
        inside.other = self
        try:
            self._name = await self._tunnels.connect(self._visit, lambda: inside)
        except OSError as error:
            self._tunnels.admission.log.failed(error)
            self._end()
            return
        self.other = inside
        if self._ended:
            self._close_both()
        else:
            self.go_on()

    def _from_client(self, data: bytes) -> None:
        for piece in self._requests.feed(data):
            self._note_request(piece)

    def _note_request(self, piece: Piece) -> None:
        stream = piece.stream
        if piece.kind == RESET:
            self._forget(stream)
            return
        if piece.kind == HEADERS and stream not in self._coming and stream not in self._in_work:
            charge = Charge(self._tunnels.memory, self._visit.peer)
            self._coming[stream] = time.monotonic(), charge
            self._watch_time()
        if piece.kind == DATA and stream in self._coming:
            self._pay(self._coming[stream][1], piece.size)
        if piece.ends_stream and stream in self._coming:
            self._coming.pop(stream)[1].give_back()  # from now on, the call itself pays
            self._in_work.add(stream)
            self._tunnels.admission.works(self._visit)

    def _pay(self, charge: Charge, size: int) -> None:
        try:
            charge.add(size)
        except Busy:
            self._give_up("the memory for bodies is used up")

    def _from_server(self, data: bytes) -> None:
        for piece in self._answers.feed(data):
            if piece.ends_stream or piece.kind == RESET:
                self._forget(piece.stream)

    def _forget(self, stream: int) -> None:
        """It is answered, or given up."""
        if stream in self._coming:
            self._coming.pop(stream)[1].give_back()
        if stream in self._in_work:
            self._in_work.remove(stream)
            if not self._in_work:
                self._tunnels.admission.waits(self._visit)

    def _watch_time(self) -> None:
        """See to the oldest request that is not complete."""
        if self._timer is None and self._coming:
            since = next(iter(self._coming.values()))[0]
            left = since + self._tunnels.timeout + _GRACE - time.monotonic()
            self._timer = self._loop.call_later(max(0.0, left), self._check_time)

    def _check_time(self) -> None:
        self._timer = None
        oldest = next(iter(self._coming.values()), None)
        if oldest and time.monotonic() - oldest[0] >= self._tunnels.timeout + _GRACE:
            self._give_up("it took too long")
        else:
            self._watch_time()

    def _give_up(self, reason: str) -> None:
        self._tunnels.admission.log.refused(self._visit.peer, reason)
        if self.transport:
            self.transport.abort()

    def _end(self) -> None:
        """One of the two ends is closed, so the other is as well."""
        if self._ended:
            return
        self._ended = True
        if self._timer:
            self._timer.cancel()
        for stream in [*self._coming]:
            self._coming.pop(stream)[1].give_back()
        self._tunnels.admission.leave(self._visit)
        if self._name:
            self._tunnels.forget(self._name)
        self._close_both()

    def _close_both(self) -> None:
        for end in (self, self.other):
            if end and end.transport:
                end.transport.close()
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_later(_GRACE, end.transport.abort)
