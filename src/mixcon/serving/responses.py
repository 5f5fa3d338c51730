"""Answers to inference requests: built by the server, parsed by the device."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from pydantic import Field

from mixcon.errors import WireError
from mixcon.serving.contract import Contract
from mixcon.serving.messages import Message, TensorHeader, cut, numbers, parse
from mixcon.serving.requests import InferRequest
from mixcon.serving.wire import Floats, array

__all__ = ["build_response", "parse_response"]


class _Response(Message):
    id: str | None = None
    outputs: list[TensorHeader] = Field(min_length=1, max_length=8)


def build_response(
    request: InferRequest, logits: Floats, contract: Contract
) -> tuple[bytes, int | None]:
    """The body of an answer, and where its JSON ends (None if it is nothing else).

    Raises:
        WireError: a logit is NaN or infinite, which only absurd representations bring about.
    """
    if not np.isfinite(logits).all():
        raise WireError("expected numbers that the head can work with, but its answer overflows")
    tensor: dict[str, Any] = {
        "name": contract.logits.name,
        "datatype": "FP32",
        "shape": logits.shape,
    }
    answer = {"model_name": contract.name, "model_version": contract.version, "outputs": [tensor]}
    if request.id is not None:
        answer["id"] = request.id
    if not request.binary:
        tensor["data"] = logits.reshape(-1).tolist()
        return json.dumps(answer, separators=(",", ":")).encode(), None
    packed = logits.astype("<f4").tobytes()
    tensor["parameters"] = {"binary_data_size": len(packed)}
    text = json.dumps(answer, separators=(",", ":")).encode()
    return text + packed, len(text)


def parse_response(
    body: bytes, json_length: int | None, contract: Contract, id: str, rows: int
) -> Floats:
    """The logits, (rows, classes), of an answer.

    Raises:
        WireError: not an answer to the request `id`, or not of the contract's form.
    """
    text, binary = cut(body, json_length)
    answer = parse(_Response, text)
    if answer.id != id:
        raise WireError(f"expected the answer to request {id!r}, but got that to {answer.id!r}")
    tensor = answer.outputs[0]
    shape = (rows, *contract.logits.shape)
    if (tensor.name, tensor.datatype, tuple(tensor.shape)) != (contract.logits.name, "FP32", shape):
        raise WireError(
            f"expected {contract.logits.name!r} of FP32 and shape {list(shape)}, but got "
            f"{tensor.name!r} of {tensor.datatype} and shape {tensor.shape}"
        )
    if tensor.announced is None:
        logits = numbers(tensor.data, shape, np.dtype("<f4"))
    elif tensor.announced == len(binary) == 4 * rows * contract.logits.shape[0]:
        logits = array(binary, "float32", shape)
    else:
        raise WireError(f"expected the bytes of shape {list(shape)}, but got {len(binary)} bytes")
    if not np.isfinite(logits).all():
        raise WireError("expected finite logits, but got NaN or infinity")
    return logits.astype(np.float32)
