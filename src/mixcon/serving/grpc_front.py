"""The server of gRPC, behind the same door as HTTP."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio

from mixcon.serving.admission import Acceptor
from mixcon.serving.connection_limits import ConnectionRules
from mixcon.serving.grpc_api import GrpcApi
from mixcon.serving.grpc_tunnel import Tunnels
from mixcon.serving.service import CloudService

__all__ = ["GrpcFront"]

_STREAMS = 100  # requests at one time on one connection
_IDLE = 300_000  # milliseconds until a connection without requests is ended


class GrpcFront:
    """Answers gRPC on a listening socket.

    Args:
        service: what answers.
        listener: the socket, bound.
        rules: what connections share.
        context: certificates that offer HTTP/2, asked for each connection; plain text without.
    """

    def __init__(
        self,
        service: CloudService,
        listener: socket.socket,
        rules: ConnectionRules,
        context: Callable[[], ssl.SSLContext | None],
    ) -> None:
        self._service, self._rules = service, rules
        self._folder = tempfile.TemporaryDirectory(prefix="mixcon-grpc-")
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
        limits = self._service.limits
        grace = limits.answer_timeout + limits.receive_timeout
        self._stopping = asyncio.create_task(self._server.stop(grace))

    async def wait_closed(self) -> None:
        """Wait until what was begun has ended."""
        await self._acceptor.wait_closed()
        await self._stopping
        self._folder.cleanup()
