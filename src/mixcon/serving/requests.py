"""Inference requests: parsed by the server, built by the device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from mixcon.errors import WireError
from mixcon.serving.compact_json import compact_json
from mixcon.serving.contract import Contract
from mixcon.serving.messages import (
    TensorHeader,
    WithParameters,
    check_message,
    cut,
    numbers,
    parse,
)
from mixcon.serving.wire import (
    WIRES,
    Floats,
    Wire,
    array,
    byte_size,
    datatype,
    dtype,
    pack,
    packed_shape,
    unpack,
)

__all__ = ["InferRequest", "build_request", "check_request", "parse_request"]

_WIRES: dict[str, Wire] = {wire: wire for wire in WIRES}
_IMPLIED: dict[str, Wire] = {"FP32": "float32", "FP16": "float16", "UINT8": "int8"}


@dataclass(frozen=True)
class InferRequest:
    """A checked request.

    Attributes:
        id: what the client calls it; the answer carries it back.
        z: representations, (N, ...), float32.
        wire: the format they came in.
        binary: whether the answer's numbers shall follow its JSON as bytes.
        top: so many of the likeliest classes shall be named instead of the logits, if not None.
    """

    id: str | None
    z: Floats
    wire: Wire
    binary: bool
    top: int | None = None


class _Output(WithParameters):
    name: str = Field(max_length=256)


class _Request(WithParameters):
    id: str | None = Field(default=None, max_length=256)
    inputs: list[TensorHeader] = Field(min_length=1, max_length=8)
    outputs: list[_Output] | None = Field(default=None, max_length=8)


def parse_request(
    body: bytes, json_length: int | None, contract: Contract, max_rows: int
) -> InferRequest:
    """Check a request against the protocol and the contract.

    Args:
        body: the body of the HTTP request.
        json_length: where its JSON ends; None if it is nothing else.
        contract: says what z looks like.
        max_rows: representations in one request at most.

    Raises:
        WireError: says what was expected and what came. Nothing is allocated for a shape that the
            body does not fill.
    """
    text, binary = cut(body, json_length)
    return _checked(parse(_Request, text), binary, contract, max_rows)


def check_request(
    fields: dict[str, Any], binary: memoryview, contract: Contract, max_rows: int
) -> InferRequest:
    """As `parse_request`, of a request that came in another form than JSON.

    Args:
        fields: what would be in the JSON.
        binary: the bytes of its tensor, if ``binary_data_size`` announces them.
        contract: says what z looks like.
        max_rows: representations in one request at most.

    Raises:
        WireError: as above.
    """
    return _checked(check_message(_Request, fields), binary, contract, max_rows)


def _checked(
    request: _Request, binary: memoryview, contract: Contract, max_rows: int
) -> InferRequest:
    if len(request.inputs) != 1 or request.inputs[0].name != contract.representation.name:
        raise WireError(
            f"expected one input called {contract.representation.name!r}, but got "
            f"{', '.join(repr(tensor.name[:40]) for tensor in request.inputs)}"
        )
    tensor = request.inputs[0]
    wire = _wire(tensor)
    shape = _shape(tensor, wire, contract, max_rows)
    announced = tensor.announced
    if announced is None:
        if len(binary):
            raise WireError(f"expected nothing behind the JSON, but got {len(binary)} bytes")
        packed = numbers(tensor.data, shape, dtype(wire))
    else:
        size = byte_size(wire, shape)
        if not announced == len(binary) == size:
            raise WireError(
                f"expected {size} bytes for shape {list(shape)} of {tensor.datatype}, but got "
                f"binary_data_size {announced} and {len(binary)} bytes behind the JSON"
            )
        packed = array(binary, wire, shape)
    z = unpack(packed, wire, contract.representation.shape, contract.scales)
    wants_binary, top = _wants_binary(request, contract), _top(request, contract)
    return InferRequest(request.id, z, wire, wants_binary, top)


def _wire(tensor: TensorHeader) -> Wire:
    asked = tensor.parameter("wire", _IMPLIED.get(tensor.datatype))
    found = _WIRES.get(asked) if isinstance(asked, str) else None
    if found is None or datatype(found) != tensor.datatype:
        raise WireError(
            f"expected datatype FP32, FP16 or UINT8 with a wire format out of {', '.join(WIRES)} "
            f"that belongs to it, but got {tensor.datatype!r} with {str(asked)[:40]!r}"
        )
    return found


def _shape(tensor: TensorHeader, wire: Wire, contract: Contract, max_rows: int) -> tuple[int, ...]:
    rows = tensor.shape[0]
    shape = packed_shape(wire, rows, contract.representation.shape)
    if not 1 <= rows <= max_rows or tuple(tensor.shape) != shape:
        raise WireError(
            f"expected shape {[-1, *shape[1:]]} for {wire} with 1 to {max_rows} rows, but got "
            f"{tensor.shape}; send more rows in several requests"
        )
    return shape


def _wants_binary(request: _Request, contract: Contract) -> bool:
    if not request.outputs:
        return request.parameter("binary_data_output") is True
    if len(request.outputs) != 1 or request.outputs[0].name != contract.logits.name:
        raise WireError(
            f"expected no output but {contract.logits.name!r}, but got "
            f"{', '.join(repr(output.name[:40]) for output in request.outputs)}"
        )
    default = request.parameter("binary_data_output")
    return request.outputs[0].parameter("binary_data", default) is True


def _top(request: _Request, contract: Contract) -> int | None:
    """How many classes to name: what the extension `classification` asks for."""
    asked = request.outputs[0].parameter("classification") if request.outputs else None
    if asked is None:
        return None
    if type(asked) is not int or asked < 1:
        raise WireError("expected classification to be a number of classes, 1 or more")
    return min(asked, len(contract.classes))


def build_request(
    z: Floats, wire: Wire, contract: Contract, id: str, *, binary: bool = True
) -> tuple[bytes, int | None]:
    """The body of a request, and where its JSON ends (None if it is nothing else).

    Args:
        z: representations, (N, ...), float32.
        wire: format to send them in.
        contract: names the tensors, and has the scales.
        id: what to call the request.
        binary: whether the server knows the binary tensor data extension.

    Raises:
        WireError: a number is NaN or infinite.
    """
    packed = pack(z, wire, contract.scales)
    shape = packed_shape(wire, len(z), contract.representation.shape)
    tensor: dict[str, Any] = {
        "name": contract.representation.name,
        "datatype": datatype(wire),
        "shape": shape,
        "parameters": {} if _IMPLIED[datatype(wire)] == wire else {"wire": wire},
    }
    request: dict[str, Any] = {"id": id, "inputs": [tensor]}
    if binary:
        tensor["parameters"]["binary_data_size"] = len(packed)
        request["parameters"] = {"binary_data_output": True}
        text = compact_json(request)
        return text + packed, len(text)
    tensor["data"] = array(packed, wire, shape).reshape(-1).tolist()
    return compact_json(request), None
