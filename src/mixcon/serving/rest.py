"""The Open Inference Protocol v2 over HTTP: JSON, and binary tensors behind it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Any

from mixcon.serving.asgi import Receive, Reply, Scope, Send, json_reply
from mixcon.serving.budget import peer_of
from mixcon.serving.contract import TensorSpec
from mixcon.serving.exchange import REQUEST_ID, Exchange, id_of
from mixcon.serving.messages import JSON_LENGTH, json_length
from mixcon.serving.refusal import Refusal, refusal_of
from mixcon.serving.requests import parse_request
from mixcon.serving.responses import build_response
from mixcon.serving.wire import WIRES

if TYPE_CHECKING:
    from mixcon.serving.service import CloudService

__all__ = ["EXTENSIONS", "RestApi"]

EXTENSIONS = ("binary_tensor_data", "classification")

_MODEL = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/infer|/ready)?")
_LENGTH_HEADER = JSON_LENGTH.lower().encode()
_ID_HEADER = REQUEST_ID.encode()
_BINARY = b"application/octet-stream"
_METRICS = b"text/plain; version=0.0.4"


class RestApi:
    """Answers what comes over HTTP, as an ASGI application.

    Args:
        service: what answers.
    """

    def __init__(self, service: CloudService) -> None:
        self._service = service
        self._fixed: dict[str, _Answer] = {
            "/v2": self._server_metadata,
            "/v2/health/live": self._live,
            "/v2/health/ready": self._ready,
            "/metrics": self._metrics,
        }
        self._of_model: dict[str | None, _Answer] = {
            "/ready": self._model_ready,
            None: self._model_metadata,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI, for requests alone."""
        request = _Request(scope, receive)
        with self._service.records.of(request.exchange, request.text):
            reply = await self._reply(request)
            request.exchange.status = reply.status
            await reply.send(send, (_ID_HEADER, request.exchange.id.encode()))

    async def _reply(self, request: _Request) -> Reply:
        try:
            return await self._route(request)
        except Exception as error:
            return self._refused(request, error)

    def _refused(self, request: _Request, error: Exception) -> Reply:
        # Apart from where the error is caught: its traceback would hold who holds it, and only the
        # garbage collector, which stops all answers, could free a request that was refused.
        refusal = refusal_of(error)
        if refusal is not None:
            return json_reply({"error": refusal.reason}, refusal.status, refusal.headers)
        self._service.log.failed(error, id=request.exchange.id)
        return json_reply({"error": "the server failed; its log says why"}, 500)

    async def _route(self, request: _Request) -> Reply:
        path, method = request.exchange.path, request.exchange.method
        found = _MODEL.fullmatch(path)
        if found:
            request.name, request.version, what = found.groups()
            if what == "/infer":
                _check_method(method, "POST")
                return await self._infer(request)
            answer = self._of_model[what]
        elif path in self._fixed:
            answer = self._fixed[path]
        else:
            raise Refusal(404, "expected a path of the Open Inference Protocol v2, or /metrics")
        _check_method(method, "GET", "HEAD")
        return await answer(request)

    async def _infer(self, request: _Request) -> Reply:
        service, exchange, headers = self._service, request.exchange, request.headers
        with (
            service.answering(
                exchange, request.name, request.version, request.authorization
            ) as model,
            service.bodies.charge(exchange) as charge,
        ):
            with service.records.step("receive"):
                body = await service.bodies.read(
                    request.receive, headers, model.body_limit, exchange, charge
                )
            length = json_length(request.header(_LENGTH_HEADER))
            parsed = parse_request(body, length, model.contract, model.max_rows)
            with service.records.step("head"):
                logits = await model.logits(parsed.z)
            content, length = build_response(parsed, logits, model.contract, model.served)
        if length is None:
            return Reply(200, content)
        return Reply(200, content, _BINARY, [(_LENGTH_HEADER, str(length).encode())])

    async def _live(self, _: _Request) -> Reply:
        return json_reply({"live": True})

    async def _ready(self, _: _Request) -> Reply:
        self._service.check_ready()
        return json_reply({"name": self._service.catalog.default.contract.name, "ready": True})

    async def _model_ready(self, request: _Request) -> Reply:
        model = self._service.find(request.name, request.version)
        self._service.check_ready([model])
        return json_reply({"name": model.contract.name, "ready": True})

    async def _metrics(self, request: _Request) -> Reply:
        self._service.authorize(request.authorization)
        return Reply(200, self._service.telemetry.render(), _METRICS)

    async def _server_metadata(self, request: _Request) -> Reply:
        self._service.authorize(request.authorization)
        return json_reply(
            {"name": "mixcon", "version": version_of("mixcon"), "extensions": EXTENSIONS}
        )

    async def _model_metadata(self, request: _Request) -> Reply:
        self._service.authorize(request.authorization)
        model = self._service.find(request.name, request.version)
        return json_reply(
            {
                "name": model.contract.name,
                "versions": [*self._service.catalog.versions(model.contract.name)],
                "platform": "onnxruntime_onnx",
                "inputs": [
                    {**_tensor(model.contract.representation), "parameters": {"wire": WIRES}}
                ],
                "outputs": [_tensor(model.contract.logits)],
                "parameters": model.served,
            }
        )


class _Request:
    """What one request of HTTP says, as ASGI has it."""

    name = ""
    version: str | None = None

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.receive = receive
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))  # the first counts
        client = scope.get("client")
        self.exchange = Exchange(
            "http",
            peer_of(client[0] if client else None),
            scope["method"],
            scope["path"],
            id_of(self.header(_ID_HEADER)),
        )

    def header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin1")

    def text(self, name: str) -> str | None:
        return self.header(name.encode())

    @property
    def authorization(self) -> str | None:
        return self.header(b"authorization")


_Answer = Callable[[_Request], Awaitable[Reply]]


def _check_method(method: str, *allowed: str) -> None:
    if method not in allowed:
        words = " or ".join(allowed)
        raise Refusal(
            405, f"expected {words}, but got {method[:20]}", {"Allow": ", ".join(allowed)}
        )


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": "FP32", "shape": [-1, *spec.shape]}
