"""Answers to inference requests: built by the server, parsed by the device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mixcon.errors import WireError
from mixcon.serving.compact_json import compact_json
from mixcon.serving.contract import Contract
from mixcon.serving.messages import TensorHeader, WithParameters, cut, numbers, parse
from mixcon.serving.metadata import check_served
from mixcon.serving.requests import InferRequest
from mixcon.serving.text import printable
from mixcon.serving.wire import Floats, all_finite, array

__all__ = ["answer_bytes", "build_answer", "build_response", "packed_bytes", "parse_response"]

_NUMBER = 32  # bytes of one in JSON, at most
_AROUND = 65_536  # bytes of JSON around the numbers


class _Response(WithParameters):
    id: str | None = None
    outputs: list[TensorHeader] = Field(min_length=1, max_length=8)


def build_response(
    request: InferRequest, logits: Floats, contract: Contract, served: dict[str, str]
) -> tuple[bytes, int | None]:
    """The body of an answer, and where its JSON ends (None if it is nothing else).

    Args:
        request: what is answered.
        logits: of its rows, (N, classes).
        contract: names the tensors and classes.
        served: what is said of the contract, which is not made anew for each answer.

    Raises:
        WireError: a logit is NaN or infinite, which only absurd representations bring about.
    """
    answer, data = build_answer(request, logits, contract, served)
    (tensor,) = answer["outputs"]
    if not request.binary:
        tensor["data"] = data.reshape(-1).tolist()
        return compact_json(answer), None
    packed = packed_bytes(data)
    tensor["parameters"] = {"binary_data_size": len(packed)}
    text = compact_json(answer)
    return text + packed, len(text)


def build_answer(
    request: InferRequest, logits: Floats, contract: Contract, served: dict[str, str]
) -> tuple[dict[str, Any], NDArray[Any]]:
    """The fields of an answer, and the data of its one output: logits, or the likeliest classes.

    Raises:
        WireError: as above.
    """
    if not all_finite(logits):
        raise WireError("expected numbers that the head can work with, but its answer overflows")
    names = {
        "model_name": contract.name,
        "model_version": contract.version,
        "parameters": served,
    }
    id = {} if request.id is None else {"id": request.id}
    data: NDArray[Any] = (
        logits if request.top is None else _likeliest(logits, request.top, contract.classes)
    )
    tensor: dict[str, Any] = {
        "name": contract.logits.name,
        "datatype": "FP32" if request.top is None else "BYTES",
        "shape": data.shape,
    }
    return {**names, **id, "outputs": [tensor]}, data


def _likeliest(logits: Floats, top: int, classes: tuple[str, ...]) -> NDArray[np.object_]:
    """The likeliest classes of each row as ``logit:index:name``, (N, top): Triton's extension."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    texts = [
        [f"{row[i]:f}:{i}:{classes[i]}" for i in best]
        for row, best in zip(logits, order, strict=True)
    ]
    return np.array(texts, object)


def packed_bytes(data: NDArray[Any]) -> bytes:
    """Numbers as bytes; texts with the length of each before it."""
    if data.dtype != object:
        return data.astype("<f4", copy=False).tobytes()
    coded = [text.encode() for text in data.reshape(-1)]
    return b"".join(len(text).to_bytes(4, "little") + text for text in coded)


def answer_bytes(contract: Contract, rows: int) -> int:
    """The longest answer that makes sense, in bytes: what a device reads, and no more."""
    return rows * contract.logits.shape[0] * _NUMBER + _AROUND


def parse_response(
    body: bytes, json_length: int | None, contract: Contract, id: str, rows: int
) -> Floats:
    """The logits, (rows, classes), of an answer.

    Raises:
        WireError: not an answer to the request `id`, or not of the contract's form.
        ContractError: the server serves another contract by now.
    """
    text, binary = cut(body, json_length)
    answer = parse(_Response, text)
    if answer.id != id:
        got = "none" if answer.id is None else repr(answer.id[:100])
        raise WireError(f"expected the answer to request {id!r}, but got that to {got}")
    check_served(answer, contract)
    tensor = answer.outputs[0]
    shape = (rows, *contract.logits.shape)
    if (tensor.name, tensor.datatype, tuple(tensor.shape)) != (contract.logits.name, "FP32", shape):
        raise WireError(
            f"expected {contract.logits.name!r} of FP32 and shape {list(shape)}, but got "
            f"{tensor.name!r} of {tensor.datatype!r} and shape {printable(str(tensor.shape))}"
        )
    if tensor.announced is None:
        logits = numbers(tensor.data, shape, np.dtype("<f4"))
    elif tensor.announced == len(binary) == 4 * rows * contract.logits.shape[0]:
        logits = array(binary, "float32", shape)
    else:
        raise WireError(f"expected the bytes of shape {list(shape)}, but got {len(binary)} bytes")
    if not all_finite(logits):
        raise WireError("expected finite logits, but got NaN or infinity")
    return logits.astype(np.float32)
