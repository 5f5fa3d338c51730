"""The cloud's server: checks the contract, then listens."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from mixcon.errors import ConfigError
from mixcon.evidence import check_limit
from mixcon.serving import signing
from mixcon.serving.admission import Acceptor, Admission, Visit
from mixcon.serving.app import CloudApp
from mixcon.serving.connection_limits import TOO_MANY, ConnectionRules
from mixcon.serving.export_reader import read_half
from mixcon.serving.gate import check_audit
from mixcon.serving.limits import ServerLimits
from mixcon.serving.sequence import refuse_older
from mixcon.serving.server_log import ServerLog
from mixcon.serving.tokens import Tokens

__all__ = ["CloudServer", "Tls"]

_BACKLOG = 2048


@dataclass(frozen=True)
class Tls:
    """Certificates of a server.

    Attributes:
        certificate: PEM file with the server's certificate chain.
        key: PEM file with its private key.
        clients: PEM file with the authority that signs clients' certificates; clients without
            one are then refused (mutual TLS). None lets all of them in.
    """

    certificate: Path
    key: Path
    clients: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For TLS 1.2 and later.

        Raises:
            ConfigError: a file is missing, or is not what it should be.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
            if self.clients is not None:
                context.load_verify_locations(self.clients)
                context.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"expected PEM files for TLS, but got {self.certificate}, {self.key}, "
                f"{self.clients}: {error}"
            ) from error
        return context


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
        tokens: whom it answers; everybody by default.
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
        tokens: Tokens | None = None,
        tls: Tls | None = None,
        threads: int = 1,
        log_line: Callable[[str], object] | None = None,
    ) -> None:
        limits = limits or ServerLimits()
        check_limit(max_excess)
        half = read_half(folder, "head", trust)
        self.contract = half.contract
        self.contract.check_expiry()
        if not unaudited:
            check_audit(self.contract, max_excess, "pass --unaudited to serve it anyway")
        refuse_older(self.contract, half.key)
        self._tls = tls
        log = ServerLog(log_line)
        app = CloudApp(self.contract, half.onnx, limits, tokens, threads, log)
        context = tls.context() if tls else None
        config = uvicorn.Config(
            app.asgi,
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
        self.uvicorn = _Server(config, rules, lambda: context)

    def bind(self, host: str, port: int) -> tuple[socket.socket, str]:
        """A listening socket, and its URL; port 0 takes a free one.

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
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            raise ConfigError(f"expected to listen on {host}:{port}, but {error}") from error
        name = f"[{host}]" if ":" in host else host
        scheme = "https" if self._tls else "http"
        return listener, f"{scheme}://{name}:{listener.getsockname()[1]}"

    def run(self, listener: socket.socket, on_start: Callable[[], None]) -> None:
        """Serve until SIGTERM or Ctrl-C, then finish what was taken; a second one ends at once.

        Args:
            listener: what `bind` gave.
            on_start: told when requests and signals are taken.
        """
        self.uvicorn.on_start = on_start
        # uvicorn raises the signal again when it is done, which shall not end us.
        previous = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            self.uvicorn.run(sockets=[listener])
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
