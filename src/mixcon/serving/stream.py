"""A connection on which everything has to happen before one deadline."""

from __future__ import annotations

import selectors
import socket
import ssl
import time

__all__ = ["Deadline", "Stream"]

_PIECE = 65_536


class Deadline:
    """A point in time.

    Args:
        seconds: from now.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, more than 0.

        Raises:
            TimeoutError: it is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"not done within {self._seconds:g} seconds")
        return left


class Stream:
    """A TCP connection, plain or under TLS.

    Args:
        host: name or address. Its look-up is the system's, and takes as long as that lets it.
        port: of TCP.
        deadline: until when it must be open.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self._socket = _connect(host, port, deadline)

    def encrypt(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        """Go on under TLS.

        Raises:
            OSError: the handshake fails; ssl.SSLCertVerificationError for another host's.
        """
        self._socket.settimeout(deadline.left())
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            self._socket.settimeout(deadline.left())
            view = view[self._socket.send(view[:_PIECE]) :]

    def receive(self, deadline: Deadline) -> bytes:
        """What comes next; nothing at the end."""
        self._socket.settimeout(deadline.left())
        return self._socket.recv(_PIECE)

    def has_news(self) -> bool:
        """Whether it was closed by the other side, or has bytes that nobody asked for."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            return bool(selector.select(0))

    def close(self) -> None:
        """End it."""
        self._socket.close()


def _connect(host: str, port: int, deadline: Deadline) -> socket.socket:
    """To the first address of the host that answers."""
    last: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
    ):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(deadline.left())
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last or OSError(f"{host} has no address")
