"""Wire formats: how the numbers of a representation become bytes, and back.

    float32  FP32   4 bytes a number
    float16  FP16   2 bytes a number, saturating
    int8     UINT8  1 byte a number: codes of the contract's scale
    int4     UINT8  2 numbers a byte, the first in the low half; each sample starts a new byte

Little-endian, row by row, as in the binary extension of the Open Inference Protocol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from mixcon.errors import WireError

__all__ = [
    "WIRES",
    "Floats",
    "IntegerCode",
    "Wire",
    "all_finite",
    "array",
    "byte_size",
    "datatype",
    "dtype",
    "pack",
    "packed_shape",
    "unpack",
]

Wire = Literal["float32", "float16", "int8", "int4"]
WIRES: tuple[Wire, ...] = get_args(Wire)
Floats = NDArray[np.float32]

_DTYPES: dict[Wire, np.dtype[np.generic]] = {
    "float32": np.dtype("<f4"),
    "float16": np.dtype("<f2"),
    "int8": np.dtype("u1"),
    "int4": np.dtype("u1"),
}
_DATATYPES: dict[Wire, str] = {
    "float32": "FP32",
    "float16": "FP16",
    "int8": "UINT8",
    "int4": "UINT8",
}
_FEW = 4096  # numbers that are looked at faster without NumPy, whose code a request finds cold
_LARGEST_HALF = float(np.finfo(np.float16).max)


class IntegerCode(BaseModel):
    """Integer codes for numbers: code c, from 0 to 2^bits - 1, stands for ``low + step * c``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bits: Literal[8, 4]
    low: float = Field(allow_inf_nan=False)
    step: float = Field(gt=0, allow_inf_nan=False)

    def codes(self, z: Floats) -> NDArray[np.uint8]:
        """The nearest code of each number; numbers outside of the range get the outermost one."""
        nearest = np.rint((z - np.float32(self.low)) / np.float32(self.step))
        return np.asarray(np.clip(nearest, 0, 2**self.bits - 1), np.uint8)

    def numbers(self, codes: NDArray[np.uint8]) -> Floats:
        """What codes stand for, float32."""
        return np.float32(self.low) + np.float32(self.step) * codes.astype(np.float32)


def datatype(wire: Wire) -> str:
    """What the Open Inference Protocol calls the elements of a wire format."""
    return _DATATYPES[wire]


def dtype(wire: Wire) -> np.dtype[np.generic]:
    """The element type of the tensor that crosses the wire."""
    return _DTYPES[wire]


def packed_shape(wire: Wire, rows: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the tensor that crosses the wire for `rows` representations of `shape`."""
    return (rows, (math.prod(shape) + 1) // 2) if wire == "int4" else (rows, *shape)


def pack(z: Floats, wire: Wire, scales: Mapping[Literal["int8", "int4"], IntegerCode]) -> bytes:
    """The bytes of representations (N, ...).

    Raises:
        WireError: a number is NaN or infinite.
    """
    if not all_finite(z):
        raise WireError("expected finite numbers to send, but the representation has others")
    if wire == "float32":
        return z.astype(_DTYPES[wire]).tobytes()
    if wire == "float16":
        return np.clip(z, -_LARGEST_HALF, _LARGEST_HALF).astype(_DTYPES[wire]).tobytes()
    codes = scales[wire].codes(z)
    return codes.tobytes() if wire == "int8" else _pair(codes.reshape(len(z), -1)).tobytes()


def unpack(
    packed: NDArray[np.generic],
    wire: Wire,
    shape: tuple[int, ...],
    scales: Mapping[Literal["int8", "int4"], IntegerCode],
) -> Floats:
    """Representations (N, *shape), float32, from the tensor that crossed the wire.

    Args:
        packed: the tensor, of `packed_shape`.
        wire: its wire format.
        shape: shape of one representation.
        scales: the contract's.

    Raises:
        WireError: a number is NaN or infinite.
    """
    if wire == "int8":
        return scales[wire].numbers(packed.astype(np.uint8))
    if wire == "int4":
        codes = _unpair(packed.astype(np.uint8), math.prod(shape))
        return scales[wire].numbers(codes).reshape(-1, *shape)
    z = packed.astype(np.float32, copy=False)
    if not all_finite(z):
        raise WireError("expected finite numbers, but got NaN or infinity")
    return z


def all_finite(numbers: NDArray[Any]) -> bool:
    """Whether none is NaN or infinite."""
    if numbers.size <= _FEW and numbers.dtype == _DTYPES["float32"]:
        exponents = numbers.tobytes()[3::4]  # the sign of each, and seven of the eight bits
        if b"\x7f" not in exponents and b"\xff" not in exponents:
            return True
    return bool(np.isfinite(numbers).all())


def array(data: bytes | memoryview, wire: Wire, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """The tensor of these bytes, without a copy; as many as `byte_size` says."""
    return np.frombuffer(data, _DTYPES[wire]).reshape(shape)


def byte_size(wire: Wire, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor of `packed_shape`."""
    return _DTYPES[wire].itemsize * math.prod(shape)


def _pair(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    even = np.pad(codes, ((0, 0), (0, codes.shape[1] % 2)))
    return np.asarray(even[:, ::2] | (even[:, 1::2] << 4), np.uint8)


def _unpair(packed: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    halves = np.stack([packed & 15, packed >> 4], axis=-1)
    return halves.reshape(len(packed), -1)[:, :count]
