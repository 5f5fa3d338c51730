"""The server of gRPC, behind the same door as HTTP."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio

from mixcon.errors import ConfigError
from mixcon.serving.admission import Acceptor
from mixcon.serving.connection_limits import ConnectionRules
from mixcon.serving.grpc_api import GrpcApi
from mixcon.serving.grpc_tunnel import Tunnels
from mixcon.serving.service import CloudService

__all__ = ["GrpcFront"]

_STREAMS = 100  # requests at one time on one connection
_IDLE = 300_000  # milliseconds until a connection without requests is ended
_LONGEST_PATH = 90  # of 107 bytes that the path of a socket may have; numbers follow


class GrpcFront:
    """Answers gRPC on a listening socket.

    Args:
        service: what answers.
        listener: the socket, bound.
        rules: what connections share.
        context: certificates that offer HTTP/2, asked for each connection; plain text without.

    Raises:
        ConfigError: there is no folder for the socket between both.
    """

    def __init__(
        self,
        service: CloudService,
        listener: socket.socket,
        rules: ConnectionRules,
        context: Callable[[], ssl.SSLContext | None],
    ) -> None:
        self._service, self._listener, self._rules = service, listener, rules
        self._folder = _own_folder()
        self._tunnels = Tunnels(
            Path(self._folder.name), rules.admission, service.bodies.budget, rules.timeout
        )
        self._acceptor = Acceptor(
            listener,
            rules.admission,
            self._tunnels.connection,
            context=context,
            timeout=rules.timeout,
            refusal=b"",
        )

    async def start(self) -> None:
        """Begin to answer, in the running event loop."""
        limits = self._service.limits
        largest = max(model.body_limit for model in self._service.catalog)
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", largest),
                ("grpc.max_concurrent_streams", _STREAMS),
                ("grpc.max_connection_idle_ms", _IDLE),
                ("grpc.server_handshake_timeout_ms", round(limits.receive_timeout * 1000)),
            ]
        )
        api = GrpcApi(self._service, self._tunnels.peer_of)
        self._server.add_generic_rpc_handlers((api.handler(),))
        self._server.add_insecure_port(self._tunnels.address)
        await self._server.start()
        self._acceptor.start()

    def close(self) -> None:
        """Accept no more calls, and finish those that are there."""
        self._acceptor.close()
        self._listener.close()
        limits = self._service.limits
        grace = limits.answer_timeout + limits.receive_timeout
        self._stopping = asyncio.create_task(self._server.stop(grace))

    async def wait_closed(self) -> None:
        """Wait until what was begun has ended."""
        await self._acceptor.wait_closed()
        await self._stopping
        self._folder.cleanup()


def _own_folder() -> tempfile.TemporaryDirectory[str]:
    """One that only this user may look into."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="mixcon-grpc-")
    except OSError as error:
        raise _no_folder(str(error)) from error
    if len(os.fsencode(folder.name)) > _LONGEST_PATH:
        folder.cleanup()
        raise _no_folder(f"the path {folder.name} is too long")
    return folder


def _no_folder(reason: str) -> ConfigError:
    return ConfigError(
        f"expected a folder for the socket of gRPC, but {reason}; name a folder with a short path "
        "that can be written as TMPDIR"
    )
