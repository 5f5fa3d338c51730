"""Wire formats: exact where they claim to be, and within half a step elsewhere."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mixcon.errors import WireError
from mixcon.serving.wire import (
    WIRES,
    IntegerCode,
    all_finite,
    array,
    byte_size,
    pack,
    packed_shape,
    unpack,
)

SCALES = {
    "int8": IntegerCode(bits=8, low=-1.0, step=0.01),
    "int4": IntegerCode(bits=4, low=-1.0, step=0.2),
}
Z = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=4, max_side=7),
    elements=st.floats(-2, 2, width=32),
)


def there_and_back(z, wire):
    data = pack(z, wire, SCALES)
    shape = packed_shape(wire, len(z), z.shape[1:])
    assert len(data) == byte_size(wire, shape)
    return unpack(array(data, wire, shape), wire, z.shape[1:], SCALES)


@given(Z)
def test_float32_is_exact(z):
    assert there_and_back(z, "float32").tobytes() == z.tobytes()


@given(Z)
def test_float16_rounds_as_ieee_says(z):
    np.testing.assert_array_equal(there_and_back(z, "float16"), z.astype(np.float16))


@given(Z, st.sampled_from(["int8", "int4"]))
def test_integers_are_within_half_a_step_of_what_fits(z, wire):
    scale = SCALES[wire]
    inside = np.clip(z, scale.low, scale.low + scale.step * (2**scale.bits - 1))
    back = there_and_back(z, wire)
    assert back.shape == z.shape
    assert back.dtype == np.float32
    assert np.abs(back - inside).max() <= scale.step / 2 + 1e-5


@given(Z, st.sampled_from(WIRES))
def test_a_second_passage_changes_nothing(z, wire):
    once = there_and_back(z, wire)
    np.testing.assert_array_equal(there_and_back(once, wire), once)


def test_int4_packs_two_numbers_a_byte_low_half_first():
    z = (-1 + 0.2 * np.array([[1, 2, 3], [15, 0, 7]])).astype(np.float32)
    assert pack(z, "int4", SCALES) == bytes([0x21, 0x03, 0x0F, 0x07])


@pytest.mark.parametrize(("wire", "each"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_bytes_a_number(wire, each):
    assert len(pack(np.zeros((3, 16, 5, 5), np.float32), wire, SCALES)) == 3 * 400 * each


def test_too_large_numbers_saturate_in_half_precision():
    assert there_and_back(np.array([[1e6, -1e6]], np.float32), "float16").tolist() == [
        [65504.0, -65504.0]
    ]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_numbers_that_are_none_are_not_sent(wire, odd):
    with pytest.raises(WireError, match="finite"):
        pack(np.array([[odd]], np.float32), wire, SCALES)


ANY = st.one_of(
    st.floats(width=32),
    st.sampled_from([math.nan, -math.nan, math.inf, -math.inf, 3.4e38, -1.7e38, 0.0, -0.0, 1e-45]),
)


@given(arrays(np.float32, array_shapes(max_dims=3, max_side=5), elements=ANY))
def test_what_is_finite_is_found_as_numpy_finds_it(numbers):
    assert all_finite(numbers) == np.isfinite(numbers).all()
    assert all_finite(numbers.T) == np.isfinite(numbers).all()
    assert all_finite(numbers.astype(np.float64)) == np.isfinite(numbers).all()


@pytest.mark.parametrize("count", [1, 400, 4096, 4097, 100_000])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, ">f4"])
def test_one_number_that_is_not_finite_is_found_among_many(count, bad, dtype):
    numbers = np.linspace(-3e38, 3e38, count).astype(dtype)
    assert all_finite(numbers)
    for place in {0, count // 2, count - 1}:
        numbers[place], kept = bad, numbers[place]
        assert not all_finite(numbers)
        numbers[place] = kept
