"""Fuzz the parser of requests, guided by coverage: `python -m benchmarks.serving_fuzz -runs=1000000`.

Needs atheris (`pip install atheris`). Options are libFuzzer's. Ends with an error and the input that
did it, where the parser raises anything but a WireError, or libFuzzer's limits do not hold.
"""

from __future__ import annotations

import inspect
import sys

from mixcon.errors import WireError
from mixcon.serving import messages, requests, wire
from mixcon.serving.contract import Contract, Preprocessing, TensorSpec
from mixcon.serving.requests import InferRequest
from mixcon.serving.wire import Scale

CONTRACT = Contract(
    name="fuzz",
    defense="none",
    classes=("a", "b"),
    input=TensorSpec(name="x", shape=(4,)),
    preprocessing=Preprocessing(kind="vector"),
    representation=TensorSpec(name="z", shape=(2, 3)),
    low=0.0,
    high=1.0,
    logits=TensorSpec(name="logits", shape=(2,)),
    scales={"int8": Scale(bits=8, low=0, step=0.1), "int4": Scale(bits=4, low=0, step=0.1)},
    encoder_sha256="",
    head_sha256="",
    mixcon="0",
)


def try_to_parse(body: bytes, json_length: int | None) -> InferRequest | None:
    """The request, or None where the parser refuses it with a reason."""
    try:
        request = requests.parse_request(body, json_length, CONTRACT, max_rows=8)
    except WireError as error:
        assert 0 < len(str(error)) < 1000
        return None
    assert request.z.shape[1:] == (2, 3)
    assert 1 <= len(request.z) <= 8
    return request


def one_input(data: bytes) -> None:
    """The first two bytes say where the JSON ends, the others are the body."""
    length = int.from_bytes(data[:2], "big")
    try_to_parse(data[2:], None if length > 0x8000 else length)


def main() -> None:
    import atheris  # noqa: PLC0415  not everybody who tests has it

    for module in (requests, messages, wire):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            setattr(module, name, atheris.instrument_func(function))
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
