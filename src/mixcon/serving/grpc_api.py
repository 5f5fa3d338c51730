"""The Open Inference Protocol v2 over gRPC: the same service as over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version as version_of
from typing import Any

import grpc

from mixcon.errors import ContractError
from mixcon.serving.contract import TensorSpec
from mixcon.serving.exchange import REQUEST_ID, Exchange, id_of
from mixcon.serving.grpc_inference import GrpcRequest, build_answer_message
from mixcon.serving.grpc_messages import METHODS, SERVICE, message_class
from mixcon.serving.refusal import CLIENT_LEFT, Refusal, refusal_of
from mixcon.serving.rest import EXTENSIONS
from mixcon.serving.service import CloudService

__all__ = ["GrpcApi"]

_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    503: grpc.StatusCode.UNAVAILABLE,
}


class GrpcApi:
    """Answers calls.

    Args:
        service: what answers.
        peer_of: whose a connection is, by the name that gRPC has for it.
    """

    def __init__(self, service: CloudService, peer_of: Callable[[str], str]) -> None:
        self._service, self._peer_of = service, peer_of
        self._answers: dict[str, Callable[[_Call], Awaitable[bytes]]] = {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelInfer": self._model_infer,
        }

    def handler(self) -> grpc.GenericRpcHandler:
        """For a server of gRPC."""
        methods = {
            name: grpc.unary_unary_rpc_method_handler(self._method(name)) for name in METHODS
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _method(self, name: str) -> Callable[[bytes, Any], Awaitable[bytes]]:
        answer, path = self._answers[name], f"/{SERVICE}/{name}"

        async def method(content: bytes, context: Any) -> bytes:
            call = _Call(content, context, self._peer_of(context.peer()), path)
            with self._service.records.of(call.exchange, call.text):
                return await self._respond(answer, call)

        return method

    async def _respond(self, answer: Callable[[_Call], Awaitable[bytes]], call: _Call) -> bytes:
        exchange = call.exchange
        await call.context.send_initial_metadata(((REQUEST_ID, exchange.id),))
        try:
            content = await answer(call)
        except asyncio.CancelledError:
            exchange.status = CLIENT_LEFT
            raise
        except Exception as error:
            await call.abort(*self._refused(exchange, error))
            raise AssertionError from error  # abort raises
        exchange.status = 200
        return content

    def _refused(self, exchange: Exchange, error: Exception) -> tuple[grpc.StatusCode, str]:
        """What is told of an error; apart from where it is caught, as in `RestApi`."""
        refusal = refusal_of(error)
        if refusal is not None:
            exchange.status = refusal.status
            return _CODES[refusal.status], refusal.reason
        exchange.status = 500
        self._service.log.failed(error, id=exchange.id)
        return grpc.StatusCode.INTERNAL, "the server failed; its log says why"

    async def _server_live(self, _: _Call) -> bytes:
        return _message("ServerLiveResponse", live=True)

    async def _server_ready(self, _: _Call) -> bytes:
        return _message("ServerReadyResponse", ready=self._is_ready(None))

    async def _model_ready(self, call: _Call) -> bytes:
        asked = call.read("ModelReadyRequest")
        model = self._service.find(asked.name, asked.version or None)
        return _message("ModelReadyResponse", ready=self._is_ready([model]))

    def _is_ready(self, models: list[Any] | None) -> bool:
        try:
            self._service.check_ready(models)
        except ContractError:
            return False
        return True

    async def _server_metadata(self, call: _Call) -> bytes:
        self._service.authorize(call.authorization)
        return _message(
            "ServerMetadataResponse",
            name="mixcon",
            version=version_of("mixcon"),
            extensions=EXTENSIONS,
        )

    async def _model_metadata(self, call: _Call) -> bytes:
        self._service.authorize(call.authorization)
        asked = call.read("ModelMetadataRequest")
        contract = self._service.find(asked.name, asked.version or None).contract
        return _message(
            "ModelMetadataResponse",
            name=contract.name,
            versions=[*self._service.catalog.versions(contract.name)],
            platform="onnxruntime_onnx",
            inputs=[_tensor(contract.representation)],
            outputs=[_tensor(contract.logits)],
        )

    async def _model_infer(self, call: _Call) -> bytes:
        service, exchange = self._service, call.exchange
        exchange.is_inference, exchange.received = True, len(call.content)
        with service.bodies.charge(exchange) as charge:
            charge.add(len(call.content))
            request = GrpcRequest(call.content)
            with service.answering(
                exchange, request.name, request.version, call.authorization
            ) as model:
                checked = request.checked(model.contract, model.max_rows)
                with service.records.step("head"):
                    logits = await model.logits(checked.z)
                return build_answer_message(checked, logits, model.contract, model.served)


class _Call:
    """One call, as gRPC has it."""

    def __init__(self, content: bytes, context: Any, peer: str, path: str) -> None:
        self.content, self.context = content, context
        self._metadata = dict(reversed(context.invocation_metadata() or ()))  # the first counts
        id = id_of(self.text(REQUEST_ID))
        self.exchange = Exchange("grpc", peer, "POST", path, id)

    @property
    def authorization(self) -> str | None:
        return self.text("authorization")

    def text(self, name: str) -> str | None:
        value = self._metadata.get(name)
        return value if isinstance(value, str) else None

    def read(self, kind: str) -> Any:
        try:
            return message_class(kind).FromString(self.content)
        except Exception as error:
            raise Refusal(400, f"expected a {kind}, but got other bytes") from error

    async def abort(self, code: grpc.StatusCode, reason: str) -> None:
        await self.context.abort(code, reason)


def _message(kind: str, **fields: Any) -> bytes:
    return bytes(message_class(kind)(**fields).SerializeToString())


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": "FP32", "shape": [-1, *spec.shape]}
