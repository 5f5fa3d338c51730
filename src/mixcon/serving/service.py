"""The cloud's service behind its gate, as an ASGI application; a new export takes over in one step.

`mixcon serve` runs it on uvicorn, and so may whatever else runs ASGI applications: the gate and
the tokens are in it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.types import Receive, Scope, Send

from mixcon.evidence import check_limit
from mixcon.serving import signing
from mixcon.serving.access import Logged
from mixcon.serving.app import CloudApp
from mixcon.serving.contract import Contract
from mixcon.serving.export_reader import read_half
from mixcon.serving.gate import check_audit
from mixcon.serving.limits import ServerLimits
from mixcon.serving.sequence import refuse_older
from mixcon.serving.server_log import ServerLog
from mixcon.serving.telemetry import Telemetry
from mixcon.serving.tokens import Tokens

__all__ = ["CloudService"]


class CloudService:
    """Answers requests with the logits of the head in a ``cloud`` folder.

    Args:
        folder: holds ``head.onnx``, ``contract.json`` and ``contract.sig``.
        trust: PEM file with the public key of who exported it.
        max_excess: largest excess leakage that may be served: the upper end of the interval that
            the contract's audit found, see `check_audit`.
        unaudited: serve whatever the audit found, and without one.
        limits: what it takes on.
        tokens: whom it answers: these, or those of a file; everybody by default.
        threads: how many threads share one batch.
        log: told of every request.

    Attributes:
        telemetry: counts what happens.

    Raises:
        ContractError: signature, hash or audit do not hold, the contract expired, or a newer one
            was used here before.
        ConfigError: unusable tokens, or a limit that is no finite number.
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
        threads: int = 1,
        log: ServerLog | None = None,
    ) -> None:
        check_limit(max_excess)
        self._folder, self._trust = folder, trust
        self._max_excess, self._unaudited = max_excess, unaudited
        self._limits, self._tokens, self._threads = limits or ServerLimits(), tokens, threads
        self.telemetry = Telemetry()
        self._app = self._load()
        self._logged = Logged(self._answer, log or ServerLog())
        self._reloading = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def contract(self) -> Contract:
        """What is served."""
        return self._app.contract

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._logged(scope, receive, send)

    async def reload(self) -> None:
        """Read export and tokens again; what was taken before is answered as it would have been.

        Raises:
            ContractError, ConfigError: as above; then all stays as it was.
        """
        async with self._reloading:
            fresh = await asyncio.to_thread(self._load)
            fresh.start()
            old, self._app = self._app, fresh
            task = asyncio.create_task(old.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _load(self) -> CloudApp:
        half = read_half(self._folder, "head", self._trust)
        half.contract.check_expiry()
        if not self._unaudited:
            way_out = "pass --unaudited to serve it anyway"
            check_audit(half.contract, self._max_excess, way_out)
        tokens = Tokens.read(self._tokens) if isinstance(self._tokens, Path) else self._tokens
        app = CloudApp(
            half.contract, half.onnx, self._limits, tokens, self._threads, self.telemetry
        )
        refuse_older(half.contract, half.key)  # which remembers it, so it comes last
        return app

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        self._app.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await asyncio.gather(self._app.stop(), *self._ending)
        await send({"type": "lifespan.shutdown.complete"})
