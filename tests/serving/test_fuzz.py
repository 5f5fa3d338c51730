"""The parser against any bytes: a checked request, or a WireError that says why; never more memory
than a small multiple of the body."""

import json
import tracemalloc

import numpy as np
from benchmarks.serving_fuzz import CONTRACT, try_to_parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mixcon.serving.requests import build_request
from mixcon.serving.wire import WIRES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=12,
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from(["name", "datatype", "shape", "parameters", "data"]), JSON, max_size=5
)


@given(st.binary(max_size=400), st.none() | st.integers(-9, 10**19))
def test_any_bytes(body, length):
    try_to_parse(body, length)


@given(FIELDS, JSON, st.binary(max_size=40), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_in_any_field(fields, more, tail, split):
    tensor = {"name": "z", "datatype": "FP32", "shape": [1, 2, 3], "data": [0.0] * 6} | fields
    text = json.dumps({"inputs": [tensor], "outputs": more, "id": more}).encode()
    try_to_parse(text + tail, len(text) if split else None)


@given(
    st.sampled_from(WIRES), st.booleans(), st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=3)), max_size=3), st.integers(-3, 3),
)  # fmt: skip
def test_damaged_requests(wire, binary, rows, damages, shift):
    z = np.ones((rows, 2, 3), np.float32)
    body, length = build_request(z, wire, CONTRACT, "id", binary=binary)
    intact = bytearray(body)
    for place, junk in damages:
        start = place % (len(intact) + 1)
        intact[start : start + len(junk)] = junk
    parsed = try_to_parse(bytes(intact), None if length is None else length + shift)
    if not damages and not (binary and shift):
        np.testing.assert_array_equal(parsed.z.shape, z.shape)


def test_a_declared_size_allocates_nothing():
    for shape in ([2**40, 2, 3], [1, 2**40, 3], [2**62] * 8, [-(2**62), 2, 3]):
        for more in ({"data": []}, {"parameters": {"binary_data_size": 2**60}}):
            tensor = {"name": "z", "datatype": "FP32", "shape": shape, **more}
            body = json.dumps({"inputs": [tensor]}).encode()
            tracemalloc.start()
            assert try_to_parse(body, len(body)) is None
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 200_000
