"""The cloud's service behind its gate, as an ASGI application; new exports take over in one step.

`mixcon serve` runs it on uvicorn, and so may whatever else runs ASGI applications: the gate and
the tokens are in it. What REST and gRPC have in common is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mixcon.errors import ConfigError
from mixcon.evidence import check_limit
from mixcon.serving import signing
from mixcon.serving.asgi import Receive, Scope, Send
from mixcon.serving.catalog import Catalog, check_versions
from mixcon.serving.contract import Contract
from mixcon.serving.exchange import Exchange, Records
from mixcon.serving.export_reader import Half, read_half
from mixcon.serving.gate import check_audit
from mixcon.serving.limits import ServerLimits
from mixcon.serving.refusal import Refusal
from mixcon.serving.request_bodies import BodyReader
from mixcon.serving.rest import RestApi
from mixcon.serving.sequence import refuse_older
from mixcon.serving.served_model import ServedModel
from mixcon.serving.server_log import ServerLog
from mixcon.serving.telemetry import Telemetry
from mixcon.serving.tokens import Tokens
from mixcon.serving.tracing import Tracing

__all__ = ["CloudService"]


class CloudService:
    """Answers requests with the logits of the heads in ``cloud`` folders.

    Args:
        folders: one or more; each holds ``head.onnx``, ``contract.json`` and ``contract.sig``. Of
            several with one name the first is the default, and the others have to be newer.
        trust: PEM file with the public key of who exported them.
        max_excess: largest excess leakage that may be served: the upper end of the interval that
            the contract's audit found, see `check_audit`.
        unaudited: serve whatever the audit found, and without one.
        limits: what it takes on.
        tokens: whom it answers: these, or those of a file; everybody by default. Health is told
            to everybody.
        canary: share, from 0 to 1, of requests for no version in particular that the newest version
            of a model answers.
        log_line: takes each line of the log; no log without.
        traces: send traces of requests, see `Tracing`.

    Attributes:
        limits: the same.
        log: says what happened.
        records: writes down what came of requests.
        telemetry: counts what happens.
        bodies: reads requests within the limits.

    Raises:
        ContractError: signature, hash or audit do not hold, a contract expired, or a newer one was
            used here before.
        ConfigError: unusable tokens, a limit that is no finite number, versions that cannot be told
            apart, or a canary that devices could not use.
    """

    def __init__(
        self,
        folders: Path | Sequence[Path],
        *,
        trust: Path = signing.DEFAULT_TRUST,
        max_excess: float = 0.3,
        unaudited: bool = False,
        limits: ServerLimits | None = None,
        tokens: Tokens | Path | None = None,
        canary: float = 0.0,
        log_line: Callable[[str], object] | None = None,
        traces: bool = False,
    ) -> None:
        check_limit(max_excess)
        self._folders = [folders] if isinstance(folders, Path) else [*folders]
        self._trust, self._max_excess, self._unaudited = trust, max_excess, unaudited
        if canary and len(self._folders) == 1:
            raise ConfigError("expected a newer export beside the first for --canary, but got one")
        self._token_source, self._canary = tokens, canary
        self.limits, self.log = limits or ServerLimits(), ServerLog(log_line)
        self.telemetry = Telemetry()
        self.records = Records(self.log, self.telemetry, Tracing() if traces else None)
        self.catalog, self.tokens = self._load()
        memory = self.limits.budget(self.limits.memory)
        self.bodies = BodyReader(memory, self.limits.receive_timeout)
        self._make_room()
        self._rest = RestApi(self)
        self._reloading = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def contracts(self) -> list[Contract]:
        """What is served."""
        return [model.contract for model in self.catalog]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._rest(scope, receive, send)

    def answering(
        self, exchange: Exchange, name: str, version: str | None, authorization: str | None
    ) -> ServedModel:
        """The model that answers a request for inference; within it, it does not stop.

        Args:
            exchange: told who answers.
            name: of the model.
            version: if one is asked for.
            authorization: value of the header of that name.

        Raises:
            Refusal: it is not answered.
            ContractError: the contract expired.
        """
        exchange.is_inference = True
        model = self.catalog.choose(name, version)
        exchange.served = model.contract if model else None
        self.authorize(authorization)
        if model is None:
            raise _no_such_model(name, version)
        model.contract.check_expiry()
        return model

    def find(self, name: str, version: str | None) -> ServedModel:
        """The model of this name, in this version or its default one.

        Raises:
            Refusal: there is none.
        """
        model = self.catalog.find(name, version)
        if model is None:
            raise _no_such_model(name, version)
        return model

    def check_ready(self, models: Sequence[ServedModel] | None = None) -> None:
        """Refuse where one of these, or of all, has expired.

        Raises:
            ContractError: it has.
        """
        for model in self.catalog if models is None else models:
            model.contract.check_expiry()

    def authorize(self, authorization: str | None) -> None:
        """Refuse who has no token where tokens are asked for.

        Raises:
            Refusal: 401.
        """
        if self.tokens and not self.tokens.allow(authorization):
            raise Refusal(401, "expected a valid bearer token", {"WWW-Authenticate": "Bearer"})

    async def reload(self) -> None:
        """Read exports and tokens again; what was taken before is answered as it would have been.

        Raises:
            ContractError, ConfigError: as above; then all stays as it was.
        """
        async with self._reloading:
            fresh, tokens = await asyncio.to_thread(self._load)
            fresh.start()
            old, self.catalog, self.tokens = self.catalog, fresh, tokens
            self._make_room()
            task = asyncio.create_task(old.stop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    def _load(self) -> tuple[Catalog, Tokens | None]:
        halves = [*_each_once(read_half(folder, "head", self._trust) for folder in self._folders)]
        for half in halves:
            half.contract.check_expiry()
            if not self._unaudited:
                way_out = "pass --unaudited to serve it anyway"
                check_audit(half.contract, self._max_excess, way_out)
        source = self._token_source
        tokens = Tokens.read(source) if isinstance(source, Path) else source
        check_versions([half.contract for half in halves])
        catalog = Catalog(
            [ServedModel(half, self.limits, self.telemetry) for half in halves],
            self._canary,
        )
        for half in halves:  # which remembers them, so it comes last
            default = catalog.find(half.contract.name)
            beside = default is not None and default.contract is not half.contract
            refuse_older(half.contract, half.key, beside=beside)
        return catalog, tokens

    def _make_room(self) -> None:
        """For the largest request, at least."""
        self.bodies.budget.widen(max(model.body_limit for model in self.catalog))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()  # lifespan.startup
        self.catalog.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        await asyncio.gather(self.catalog.stop(), *self._ending)
        await asyncio.to_thread(self.records.close)
        await send({"type": "lifespan.shutdown.complete"})


def _each_once(halves: Iterator[Half]) -> Iterator[Half]:
    """A canary that has become the default is in two folders."""
    seen = set()
    for half in halves:
        if half.contract.sha256 not in seen:
            seen.add(half.contract.sha256)
            yield half


def _no_such_model(name: str, version: str | None) -> Refusal:
    which = f"version {version!r} of {name!r}" if version else repr(name)
    return Refusal(404, f"expected a model that is served here, but there is no {which[:200]}")
