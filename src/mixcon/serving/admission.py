"""Connections are counted from the moment that TCP accepts them, before TLS and HTTP.

Where all are used up, a new one takes the place of the one that has had no request in work for
longest; where a peer has used up its part, that of its own. So who holds many open competes with
itself, and others come in.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mixcon.serving.budget import Budget, peer_of
from mixcon.serving.server_log import ServerLog

__all__ = ["Acceptor", "Admission", "Visit"]

_BACKLOG = 2048
_AT_ONCE = 20  # connections to accept before other work
_PAUSE = 0.05  # seconds without a file left to accept with


@dataclass(eq=False)
class Visit:
    """One connection that was let in.

    Attributes:
        peer: whose it is.
    """

    peer: str
    _close: Callable[[], object] | None = None
    _ended: bool = False

    def end(self) -> None:
        """Close it at once, or as soon as there is something to close."""
        self._ended = True
        if self._close:
            self._close()

    def closed_by(self, close: Callable[[], object]) -> None:
        """From now on, this is what closes it."""
        self._close = close
        if self._ended:
            close()


class Admission:
    """Who is in, and who of them has no request in work.

    Args:
        budget: how many connections there may be.
        log: told who was turned away or let go.

    Attributes:
        log: the same.
    """

    def __init__(self, budget: Budget, log: ServerLog) -> None:
        self._budget, self.log = budget, log
        self._inside: set[Visit] = set()
        self._waiting: dict[Visit, None] = {}  # in the order in which they began to wait

    @property
    def count(self) -> int:
        """How many are in."""
        return len(self._inside)

    def enter(self, peer: str) -> Visit | None:
        """Let a connection in; None if all that could make room have a request in work."""
        if self._budget.is_used_up_by(peer) and not self._drop_longest_waiting(peer):
            self.log.refused(peer, "this peer has too many connections")
            return None
        if self._budget.is_used_up() and not self._drop_longest_waiting():
            self.log.refused(peer, "too many connections")
            return None
        visit = Visit(peer)
        self._budget.take(peer)
        self._inside.add(visit)
        self._waiting[visit] = None
        return visit

    def works(self, visit: Visit) -> None:
        """Note that a request of it is complete, and in work: it is not dropped for others."""
        self._waiting.pop(visit, None)

    def waits(self, visit: Visit) -> None:
        """Note that it has no request in work."""
        if visit in self._inside:
            self._waiting[visit] = None

    def leave(self, visit: Visit) -> None:
        """Note that it is closed; more than once does no harm."""
        self._waiting.pop(visit, None)
        if visit in self._inside:
            self._inside.remove(visit)
            self._budget.give_back(visit.peer)

    def make_room(self) -> None:
        """Close the connection that waits for longest, if one does."""
        self._drop_longest_waiting()

    def _drop_longest_waiting(self, peer: str | None = None) -> bool:
        """Of this peer or of all; whether there was one."""
        waiting = (visit for visit in self._waiting if peer in (None, visit.peer))
        visit = next(waiting, None)
        if visit is None:
            return False
        self.leave(visit)
        visit.end()
        self.log.refused(visit.peer, "dropped for a new one: it had no request in work")
        return True


class Acceptor:
    """Accepts connections of one listening socket; asyncio's own server does so uncounted.

    Args:
        listener: the socket, bound.
        admission: whom to let in.
        make_protocol: the protocol of a connection.
        context: certificates; plain TCP without. Asked for each connection, so it may change.
        timeout: seconds for a TLS handshake.
        refusal: what a plain connection that is turned away is told.
    """

    def __init__(
        self,
        listener: socket.socket,
        admission: Admission,
        make_protocol: Callable[[Visit], asyncio.Protocol],
        *,
        context: Callable[[], ssl.SSLContext | None],
        timeout: float,
        refusal: bytes,
    ) -> None:
        self._listener, self._admission, self._make_protocol = listener, admission, make_protocol
        self._context, self._timeout, self._refusal = context, timeout, refusal
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        listener.setblocking(False)

    def start(self) -> None:
        """Begin to accept, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._listener.listen(_BACKLOG)
        self._listen()

    def close(self) -> None:
        """Accept no more; open connections stay, handshakes end."""
        self._closed = True
        self._loop.remove_reader(self._listener)
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until what was begun has ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener, self._accept)

    def _accept(self) -> None:
        """All that wait, up to a number that does not hold up others."""
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._listener.accept()
            except (BlockingIOError, ConnectionError):  # none left, or it went away meanwhile
                return
            except OSError:  # no file left: let one go, rather than all wait
                self._admission.make_room()
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_PAUSE, self._listen)
                return
            connection.setblocking(False)
            self._receive(connection, peer_of(address[0] if address else None))

    def _receive(self, connection: socket.socket, peer: str) -> None:
        visit = self._admission.enter(peer)
        if visit is None:
            self._turn_away(connection)
            return
        task = self._loop.create_task(self._open(connection, visit))
        if self._context():  # a plain one is there at once, and must not be cancelled half-way
            visit.closed_by(task.cancel)
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._opened(task, connection, visit))

    def _turn_away(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._context() is None:
                connection.send(self._refusal)

    async def _open(self, connection: socket.socket, visit: Visit) -> None:
        context = self._context()
        waits = {"ssl_handshake_timeout": self._timeout} if context else {}
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await self._loop.connect_accepted_socket(
            lambda: self._make_protocol(visit), connection, ssl=context, **waits
        )

    def _opened(self, task: asyncio.Task[None], connection: socket.socket, visit: Visit) -> None:
        """Close what did not open: it may have been cancelled before its first step."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if task.cancelled() or error:
            self._admission.leave(visit)
            connection.close()
        if isinstance(error, OSError):  # no handshake, or not in time
            self._admission.log.refused(visit.peer, f"not opened ({type(error).__name__})")
        elif error:
            self._admission.log.failed(error)
