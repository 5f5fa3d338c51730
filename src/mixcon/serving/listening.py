"""Sockets to serve on."""

from __future__ import annotations

import socket

from mixcon.errors import ConfigError

__all__ = ["listen", "url_of"]


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket bound to an address; port 0 takes a free one.

    Args:
        host: address.
        port: of TCP.
        shared: other processes of this user may serve there as well.

    Raises:
        ConfigError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )[0]
        # Said to be TCP, its connections send small answers at once (TCP_NODELAY, by asyncio).
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError as error:
        raise ConfigError(f"expected to listen on {host}:{port}, but {error}") from error
    return listener


def url_of(listener: socket.socket, host: str, scheme: str = "http") -> str:
    """The URL of a bound socket."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}:{listener.getsockname()[1]}"
