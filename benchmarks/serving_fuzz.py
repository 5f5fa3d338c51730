"""Fuzz the parser of requests, guided by coverage: `python -m benchmarks.serving_fuzz CORPUS`.

Needs atheris (`pip install atheris`). Options, such as -runs=1000000, are libFuzzer's. Ends with an
error and the input that did it, where the parser raises anything but a WireError, or goes beyond
libFuzzer's limits.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    import atheris

    with atheris.instrument_imports(include=["mixcon.serving"]):
        import mixcon.serving.requests  # noqa: F401

import numpy as np

from mixcon.errors import WireError
from mixcon.serving.contract import Contract, Preprocessing, TensorSpec
from mixcon.serving.requests import InferRequest, build_request, parse_request
from mixcon.serving.wire import WIRES, IntegerCode

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
    scales={
        "int8": IntegerCode(bits=8, low=0, step=0.1),
        "int4": IntegerCode(bits=4, low=0, step=0.1),
    },
    encoder_sha256="",
    head_sha256="",
    mixcon="0",
)


def try_to_parse(body: bytes, json_length: int | None) -> InferRequest | None:
    """The request, or None where the parser refuses it with a reason."""
    try:
        request = parse_request(body, json_length, CONTRACT, max_rows=8)
    except WireError as error:
        reason = str(error)
    else:
        assert request.z.shape[1:] == (2, 3)
        assert 1 <= len(request.z) <= 8
        return request
    assert 0 < len(reason) < 1000
    return None


def one_input(data: bytes) -> None:
    """The first two bytes say where the JSON ends, the others are the body."""
    length = int.from_bytes(data[:2], "big")
    try_to_parse(data[2:], None if length > 0x8000 else length)


def seeds() -> list[bytes]:
    """Valid requests, for the fuzzer to start from."""
    z = np.ones((2, 2, 3), np.float32)
    asked = [build_request(z, w, CONTRACT, "a", binary=b) for w in WIRES for b in (True, False)]
    return [(0xFFFF if n is None else n).to_bytes(2, "big") + body for body, n in asked]


def main() -> None:
    """Fuzz, with the seeds in the first folder named."""
    for corpus in [Path(word) for word in sys.argv[1:] if not word.startswith("-")][:1]:
        corpus.mkdir(parents=True, exist_ok=True)
        for i, seed in enumerate(seeds()):
            (corpus / f"seed{i}").write_bytes(seed)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
