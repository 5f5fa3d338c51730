"""The cloud's application: the head behind the Open Inference Protocol v2."""

from __future__ import annotations

import asyncio
import math
import time
from importlib.metadata import version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mixcon.errors import ContractError, WireError
from mixcon.serving.batching import Batcher, Busy
from mixcon.serving.contract import Contract, TensorSpec
from mixcon.serving.limits import ServerLimits
from mixcon.serving.messages import JSON_LENGTH, json_length
from mixcon.serving.request_bodies import BodyReader
from mixcon.serving.requests import parse_request
from mixcon.serving.responses import build_response
from mixcon.serving.runtime import session
from mixcon.serving.telemetry import Telemetry
from mixcon.serving.tokens import Tokens
from mixcon.serving.wire import WIRES, Floats

__all__ = ["CloudApp"]

_RETRY_SECONDS = 1
_CLIENT_LEFT = 499
_JSON_BYTES = 32  # of one number in JSON, at most
_JSON_REST = 65_536  # bytes of JSON around the numbers


class CloudApp:
    """Answers requests with the head's logits.

    Args:
        contract: what the head's contract says.
        head: the bytes of ``head.onnx``.
        limits: what it takes on.
        tokens: whom it answers; everybody by default. Health is told to everybody.
        threads: how many threads share one batch.
        telemetry: counts what happens.

    Attributes:
        contract: the same.
    """

    def __init__(
        self,
        contract: Contract,
        head: bytes,
        limits: ServerLimits,
        tokens: Tokens | None = None,
        threads: int = 1,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.contract, self._limits, self._tokens = contract, limits, tokens
        self._session, self._sha256 = session(head, threads), contract.sha256
        self._batcher: Batcher | None = None
        self._telemetry = telemetry or Telemetry()
        self._active, self._idle = 0, asyncio.Event()
        self._idle.set()
        size = limits.max_body or _body_limit(contract, limits.max_batch)
        memory = limits.budget(limits.memory, least=size)
        self._bodies = BodyReader(size, memory, limits.receive_timeout)
        self._asgi = Starlette(
            routes=self._routes(),
            exception_handlers={HTTPException: _refuse, Exception: _server_error},
        )
        self._asgi.router.redirect_slashes = False  # it would send clients to what Host says

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI, for requests alone."""
        self._active += 1
        self._idle.clear()
        try:
            await self._asgi(scope, receive, send)
        finally:
            self._active -= 1
            if not self._active:
                self._idle.set()

    def _note_batch(self, rows: int) -> None:
        self._telemetry.batches.observe(rows)
        self._telemetry.queued.set(self._batcher.queued if self._batcher else 0)

    def _routes(self) -> list[Route]:
        model = f"/v2/models/{self.contract.name}"
        both = (model, f"{model}/versions/{self.contract.version}")
        return [
            *(Route(f"{path}/infer", self._infer, methods=["POST"]) for path in both),
            *(Route(f"{path}/ready", self._ready) for path in both),
            *(Route(path, self._model_metadata) for path in both),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            Route("/v2", self._server_metadata),
            Route("/metrics", self._metrics),
        ]

    def start(self) -> None:
        """Begin to answer, in the running event loop."""
        self._batcher = Batcher(
            self._run,
            max_rows=self._limits.max_batch,
            max_delay=self._limits.max_delay,
            max_queue=self._limits.max_queue,
            on_batch=self._note_batch,
        )
        self._batcher.start()

    async def stop(self) -> None:
        """Answer what was taken, then end."""
        await self._idle.wait()
        if self._batcher is not None:
            await self._batcher.stop()
            self._batcher = None

    def _run(self, z: Floats) -> Floats:
        (logits,) = self._session.run([self.contract.logits.name], {"z": z})
        return logits  # type: ignore[no-any-return]

    async def _infer(self, request: Request) -> Response:
        started, status = time.perf_counter(), 500
        try:
            response = await self._answer(request)
            status = response.status_code
        finally:
            self._telemetry.requests.labels(status).inc()
            self._telemetry.seconds.observe(time.perf_counter() - started)
        return response

    async def _answer(self, request: Request) -> Response:
        try:
            self._authorize(request)
            self.contract.check_expiry()
            async with self._bodies.body(request) as body:
                self._telemetry.received.inc(len(body))
                return await self._logits(body, json_length(request.headers.get(JSON_LENGTH)))
        except WireError as error:
            return _error(400, str(error))
        except ContractError as error:
            return _error(503, str(error))
        except HTTPException as error:
            return await _refuse(request, error)
        except ClientDisconnect:
            return _error(_CLIENT_LEFT, "the client went away")  # heard by nobody but the metrics
        except (Busy, TimeoutError):
            return _busy()

    async def _logits(self, body: bytes, length: int | None) -> Response:
        parsed = parse_request(body, length, self.contract, self._limits.max_batch)
        if self._batcher is None:
            raise Busy
        async with asyncio.timeout(self._limits.answer_timeout):
            logits = await self._batcher.submit(parsed.z)
        content, length = build_response(parsed, logits, self.contract, self._sha256)
        if length is None:
            return Response(content, media_type="application/json")
        headers = {JSON_LENGTH: str(length)}
        return Response(content, headers=headers, media_type="application/octet-stream")

    def _authorize(self, request: Request) -> None:
        if self._tokens and not self._tokens.allow(request.headers.get("authorization")):
            raise HTTPException(
                401, "expected a valid bearer token", {"WWW-Authenticate": "Bearer"}
            )

    async def _live(self, _: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _: Request) -> Response:
        try:
            self.contract.check_expiry()
        except ContractError as error:
            return _error(503, str(error))
        return JSONResponse({"name": self.contract.name, "ready": True})

    async def _metrics(self, request: Request) -> Response:
        self._authorize(request)
        return Response(self._telemetry.render(), media_type="text/plain; version=0.0.4")

    async def _server_metadata(self, request: Request) -> Response:
        self._authorize(request)
        extensions = ["binary_tensor_data", "classification"]
        return JSONResponse(
            {"name": "mixcon", "version": version("mixcon"), "extensions": extensions}
        )

    async def _model_metadata(self, request: Request) -> Response:
        self._authorize(request)
        contract = self.contract
        return JSONResponse(
            {
                "name": contract.name,
                "versions": [contract.version],
                "platform": "onnxruntime_onnx",
                "inputs": [{**_tensor(contract.representation), "parameters": {"wire": WIRES}}],
                "outputs": [_tensor(contract.logits)],
                "parameters": {"contract_sha256": contract.sha256},
            }
        )


def _body_limit(contract: Contract, rows: int) -> int:
    numbers = math.prod(contract.representation.shape)
    return _JSON_REST + rows * numbers * _JSON_BYTES


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": "FP32", "shape": [-1, *spec.shape]}


def _error(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": reason}, status, headers)


def _busy() -> Response:
    return _error(
        503,
        "the server has as much to do as it takes on; try again later",
        {"Retry-After": str(_RETRY_SECONDS)},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _error(error.status_code, error.detail, dict(error.headers or {}))


async def _server_error(_: Request, error: Exception) -> Response:
    return _error(500, "the server failed; its log says why")
