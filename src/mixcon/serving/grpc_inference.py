"""Requests and answers of gRPC, as what REST has in JSON and behind it."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from mixcon.errors import WireError
from mixcon.serving.contract import Contract
from mixcon.serving.grpc_messages import message_class
from mixcon.serving.requests import InferRequest, check_request
from mixcon.serving.responses import build_answer, packed_bytes
from mixcon.serving.wire import Floats

__all__ = ["GrpcRequest"]

_REQUEST = message_class("ModelInferRequest")
_RESPONSE = message_class("ModelInferResponse")
_CONTENTS = {"FP32": "fp32_contents", "UINT8": "uint_contents"}


class GrpcRequest:
    """A request for inference, of which nothing is checked yet.

    Args:
        content: its bytes.

    Raises:
        WireError: it is none.
    """

    def __init__(self, content: bytes) -> None:
        try:
            self._message = _REQUEST.FromString(content)
        except DecodeError as error:
            raise WireError("expected a ModelInferRequest, but got other bytes") from error

    @property
    def name(self) -> str:
        """Of the model."""
        return str(self._message.model_name)

    @property
    def version(self) -> str | None:
        """Of the model, if one is asked for."""
        return self._message.model_version or None

    def checked(self, contract: Contract, max_rows: int) -> InferRequest:
        """What it asks for.

        Raises:
            WireError: it does not fit the protocol or the contract.
        """
        message, raw = self._message, self._message.raw_input_contents
        if raw and len(raw) != len(message.inputs):
            raise WireError(f"expected raw contents of all inputs or of none, but got {len(raw)}")
        tensors = [_tensor(t, raw[i] if raw else None) for i, t in enumerate(message.inputs)]
        outputs = [{"name": o.name, "parameters": _plain(o.parameters)} for o in message.outputs]
        fields = {
            "id": message.id or None,
            "parameters": {**_plain(message.parameters), "binary_data_output": bool(raw)},
            "inputs": tensors,
            "outputs": outputs or None,
        }
        return check_request(fields, memoryview(raw[0] if raw else b""), contract, max_rows)


def build_answer_message(
    request: InferRequest, logits: Floats, contract: Contract, served: dict[str, str]
) -> bytes:
    """The bytes of an answer; its numbers are raw where the request's were.

    Raises:
        WireError: as `build_answer`.
    """
    fields, data = build_answer(request, logits, contract, served)
    (tensor,) = fields.pop("outputs")
    parameters = {k: {"string_param": v} for k, v in fields.pop("parameters").items()}
    message = _RESPONSE(**fields, outputs=[tensor])
    for name, value in parameters.items():
        message.parameters[name].string_param = value["string_param"]
    if request.binary:
        message.raw_output_contents.append(packed_bytes(data))
    elif request.top is None:
        message.outputs[0].contents.fp32_contents.extend(data.ravel())
    else:
        message.outputs[0].contents.bytes_contents.extend(t.encode() for t in data.ravel())
    return bytes(message.SerializeToString())


def _tensor(tensor: Any, raw: bytes | None) -> dict[str, Any]:
    parameters = _plain(tensor.parameters)
    fields = {
        "name": tensor.name,
        "datatype": tensor.datatype,
        "shape": list(tensor.shape),
        "parameters": parameters,
    }
    if raw is None:
        where = _CONTENTS.get(tensor.datatype)
        return {**fields, "data": list(getattr(tensor.contents, where)) if where else None}
    parameters["binary_data_size"] = len(raw)
    return fields


def _plain(parameters: Any) -> dict[str, Any]:
    """Parameters as JSON has them."""
    chosen = {name: value.WhichOneof("parameter_choice") for name, value in parameters.items()}
    return {name: getattr(parameters[name], kind) for name, kind in chosen.items() if kind}
