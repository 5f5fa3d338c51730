"""The cloud's server: checks the contract, then listens."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from mixcon.errors import ConfigError, MixconError
from mixcon.serving import signing
from mixcon.serving.admission import Acceptor, Admission, Visit
from mixcon.serving.connection_limits import TOO_MANY, ConnectionRules
from mixcon.serving.contract import Contract
from mixcon.serving.limits import ServerLimits
from mixcon.serving.server_log import ServerLog
from mixcon.serving.service import CloudService
from mixcon.serving.tls import Tls
from mixcon.serving.tokens import Tokens

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        acceptors = [self._acceptor(listener) for listener in sockets or []]
        self.servers = cast("list[asyncio.base_events.Server]", acceptors)  # as far as it is asked
        for acceptor in acceptors:
            acceptor.start()
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
    """Serves the ``cloud`` folder of an export.

    Args:
        folder: holds ``head.onnx``, ``contract.json`` and ``contract.sig``.
        trust: PEM file with the public key of who exported it.
        max_excess: largest excess leakage that may be served: the upper end of the interval that
            the contract's audit found, see `check_audit`.
        unaudited: serve whatever the audit found, and without one.
        limits: what the server takes on.
        tokens: whom it answers: these, or those of a file; everybody by default.
        tls: certificates; plain HTTP without.
        threads: how many threads share one batch.
        log_line: takes each line of the log; no log without.

    Raises:
        ContractError: signature, hash or audit do not hold, the contract expired, or a newer one
            was used here before.
        ConfigError: unusable certificates, or a limit that is no finite number.
    """

    def __init__(
        self,
        folder: Path,
        *,
        trust: Path = signing.DEFAULT_TRUST,
        max_excess: float = 0.3,
        unaudited: bool = False,
        limits: ServerLimits | None = None,
        tokens: Tokens | Path | None = None,
        tls: Tls | None = None,
        threads: int = 1,
        log_line: Callable[[str], object] | None = None,
    ) -> None:
        limits, log = limits or ServerLimits(), ServerLog(log_line)
        self._service = CloudService(
            folder,
            trust=trust,
            max_excess=max_excess,
            unaudited=unaudited,
            limits=limits,
            tokens=tokens,
            threads=threads,
            log=log,
        )
        self._tls, self._log = tls, log
        self._context = tls.context() if tls else None
        self._service.telemetry.note_ends(self._ends)
        config = uvicorn.Config(
            self._service,
            lifespan="on",
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=round(limits.answer_timeout + limits.receive_timeout),
        )
        admission = Admission(limits.budget(limits.connections), log)
        rules = ConnectionRules(admission, log, limits.receive_timeout)
        self.uvicorn = _Server(config, rules, lambda: self._context)

    @property
    def contract(self) -> Contract:
        """What is served."""
        return self._service.contract

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
        return ends | ({"contract": self.contract.expires} if self.contract.expires else {})

    async def reload(self) -> None:
        """Read export, tokens and certificates again; no request and no connection is lost.

        Raises:
            ContractError, ConfigError: as above; then all stays as it was.
        """
        context = await asyncio.to_thread(self._tls.context) if self._tls else None
        await self._service.reload()
        self._context = context
        self._service.telemetry.note_ends(self._ends)

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

        def started() -> None:
            loop = asyncio.get_running_loop()
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

    async def _reload(self, told: Callable[[str], object]) -> None:
        try:
            await self.reload()
        except MixconError as error:
            self._log.failed(error)
            told(f"warning: nothing is changed: {error}")
            return
        told(f"Serving {self.contract.name}, contract {self.contract.sequence}")
        for words in self.warnings:
            told(f"warning: {words}")
