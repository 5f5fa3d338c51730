"""The cloud's server: checks the contract, then listens."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from mixcon._extras import check_extra
from mixcon.errors import ConfigError, MixconError
from mixcon.serving.admission import Acceptor, Admission, Visit
from mixcon.serving.collection import Collection
from mixcon.serving.connection_limits import TOO_MANY, ConnectionRules
from mixcon.serving.contract import Contract
from mixcon.serving.service import CloudService
from mixcon.serving.tls import Tls

if TYPE_CHECKING:
    from mixcon.serving.grpc_front import GrpcFront

__all__ = ["CloudServer"]

_SOON = timedelta(days=30)


class _Server(uvicorn.Server):
    """Accepts connections by rules; says when it listens, and from then on signals end it gently.

    Args:
        config: uvicorn's settings.
        rules: what connections share.
        context: certificates, asked for each connection; plain HTTP without.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        rules: ConnectionRules,
        context: Callable[[], ssl.SSLContext | None],
    ) -> None:
        super().__init__(config)
        self._rules, self._context = rules, context
        self.on_start: Callable[[], None] = lambda: None
        self.grpc: GrpcFront | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        acceptors = [self._acceptor(listener) for listener in sockets or []]
        self.servers = cast("list[asyncio.base_events.Server]", acceptors)  # as far as it is asked
        for acceptor in acceptors:
            acceptor.start()
        if self.grpc:
            await self.grpc.start()
            self.servers.append(cast("asyncio.base_events.Server", self.grpc))
        self.started = True
        self.on_start()

    def _acceptor(self, listener: socket.socket) -> Acceptor:
        return Acceptor(
            listener,
            self._rules.admission,
            self._connection,
            context=self._context,
            timeout=self._rules.timeout,
            refusal=TOO_MANY,
        )

    def _connection(self, visit: Visit) -> asyncio.Protocol:
        return self._rules.connection(
            visit,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )


class CloudServer:
    """Serves a service on sockets.

    Args:
        service: what answers.
        tls: certificates; plain text without.

    Raises:
        ConfigError: unusable certificates.
    """

    def __init__(self, service: CloudService, *, tls: Tls | None = None) -> None:
        limits = service.limits
        self._service, self._tls = service, tls
        self._contexts = self._make_contexts()
        service.telemetry.note_ends(self._ends)
        config = uvicorn.Config(
            service,
            lifespan="on",
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=round(limits.answer_timeout + limits.receive_timeout),
        )
        admission = Admission(limits.budget(limits.connections), service.log)
        self._rules = ConnectionRules(admission, service.log, limits.receive_timeout)
        self.uvicorn = _Server(config, self._rules, lambda: self._contexts[0])

    @property
    def contracts(self) -> list[Contract]:
        """What is served."""
        return self._service.contracts

    @property
    def warnings(self) -> list[str]:
        """What ends in the next 30 days, in words."""
        left = {what: end - datetime.now(UTC) for what, end in self._ends.items()}
        return [
            f"the {what} ends in {time.days} days; see to a new one, and send SIGHUP"
            for what, time in left.items()
            if time < _SOON
        ]

    @property
    def _ends(self) -> dict[str, datetime]:
        ends = {"certificate": self._tls.end} if self._tls else {}
        expiries = [contract.expires for contract in self.contracts if contract.expires]
        return ends | ({"contract": min(expiries)} if expiries else {})

    async def reload(self) -> None:
        """Read export, tokens and certificates again; no request and no connection is lost.

        Raises:
            ContractError, ConfigError: as above; then all stays as it was.
        """
        contexts = await asyncio.to_thread(self._make_contexts)
        await self._service.reload()
        self._contexts = contexts
        self._service.telemetry.note_ends(self._ends)

    def _make_contexts(self) -> tuple[ssl.SSLContext | None, ssl.SSLContext | None]:
        """For HTTP and for gRPC, which is HTTP/2."""
        return (self._tls.context(), self._tls.context("h2")) if self._tls else (None, None)

    def add_grpc(self, listener: socket.socket) -> None:
        """Answer gRPC as well, on a socket of its own, under the same rules.

        Args:
            listener: what `bind` gave.

        Raises:
            ConfigError: the extra `grpc` is not installed.
        """
        check_extra("grpc")
        from mixcon.serving.grpc_front import GrpcFront  # noqa: PLC0415  of an extra

        self.uvicorn.grpc = GrpcFront(
            self._service, listener, self._rules, lambda: self._contexts[1]
        )

    def bind(self, host: str, port: int, *, shared: bool = False) -> tuple[socket.socket, str]:
        """A socket to serve on, and its URL; port 0 takes a free one.

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
        name = f"[{host}]" if ":" in host else host
        scheme = "https" if self._tls else "http"
        return listener, f"{scheme}://{name}:{listener.getsockname()[1]}"

    def run(
        self,
        listener: socket.socket,
        on_start: Callable[[], None],
        on_reload: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Serve until SIGTERM or Ctrl-C, then finish what was taken; a second one ends at once.

        SIGHUP reloads.

        Args:
            listener: what `bind` gave.
            on_start: told when requests and signals are taken.
            on_reload: told in words what came of that.
        """
        collection = Collection(lambda: self._rules.admission.count)

        def started() -> None:
            loop = asyncio.get_running_loop()
            collection.start()
            loop.add_signal_handler(
                signal.SIGHUP, lambda: loop.create_task(self._reload(on_reload))
            )
            on_start()

        self.uvicorn.on_start = started
        # uvicorn raises the signal again when it is done, which shall not end us.
        previous = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.uvicorn.run(sockets=[listener])
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            collection.stop()

    async def _reload(self, told: Callable[[str], object]) -> None:
        try:
            await self.reload()
        except MixconError as error:
            self._service.log.failed(error)
            told(f"warning: nothing is changed: {error}")
            return
        for contract in self.contracts:
            told(f"Serving {contract.name}, contract {contract.sequence}")
        for words in self.warnings:
            told(f"warning: {words}")
