"""What requests and answers of the Open Inference Protocol have in common.

A message is a JSON object, or a JSON object followed by the bytes of the tensors that it announces
(the binary tensor data extension; the header ``Inference-Header-Content-Length`` then says where
the JSON ends).
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mixcon.errors import WireError
from mixcon.serving.text import printable

__all__ = [
    "JSON_LENGTH",
    "Message",
    "Reason",
    "TensorHeader",
    "WithParameters",
    "check_message",
    "cut",
    "json_length",
    "numbers",
    "parse",
]

JSON_LENGTH = "Inference-Header-Content-Length"

M = TypeVar("M", bound="Message")


class Message(BaseModel):
    """A part of a message; unknown keys are skipped, as extensions may add some."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class WithParameters(Message):
    """A message, a tensor or an output that has parameters by name."""

    parameters: dict[str, Any] | None = None

    def parameter(self, name: str, default: Any = None) -> Any:
        """One of them. Null is as good as absent, for all and for each: some clients write both."""
        value = self.parameters.get(name) if self.parameters else None
        return default if value is None else value


class Reason(Message):
    """Why a server refuses."""

    error: str


class TensorHeader(WithParameters):
    """A tensor, with its numbers in `data` or, announced by ``binary_data_size``, behind."""

    name: str = Field(max_length=256)
    datatype: str = Field(max_length=16)
    shape: list[int] = Field(min_length=1, max_length=8)
    data: Any = None

    @property
    def announced(self) -> int | None:
        """How many bytes follow the JSON; None where the numbers are in it.

        Raises:
            WireError: the size is no integer, or the numbers are there twice.
        """
        size = self.parameter("binary_data_size")
        if size is None:
            return None
        if type(size) is not int or self.data is not None:
            raise WireError(
                f"tensor {self.name!r}: expected binary_data_size to be an integer and no data "
                "beside it"
            )
        return size


def json_length(value: str | None) -> int | None:
    """What the header `JSON_LENGTH` says; None without.

    Raises:
        WireError: no number of bytes.
    """
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise WireError(f"expected {JSON_LENGTH} to be a number of bytes, but got {value[:40]!r}")
    return int(value)


def cut(body: bytes, json_length: int | None) -> tuple[memoryview, memoryview]:
    """The JSON of a message, and the bytes behind it.

    Raises:
        WireError: the JSON would be longer than the message.
    """
    end = len(body) if json_length is None else json_length
    if not 0 <= end <= len(body):
        raise WireError(
            f"expected {JSON_LENGTH} from 0 to {len(body)}, the length of the body, but got {end}"
        )
    whole = memoryview(body)
    return whole[:end], whole[end:]


def parse(kind: type[M], text: memoryview) -> M:
    """A message out of its JSON.

    Raises:
        WireError: no JSON, or not of this form; the first thing that is wrong is named.
    """
    try:
        return kind.model_validate_json(bytes(text))
    except ValidationError as error:
        raise _wrong(error) from error


def check_message(kind: type[M], fields: dict[str, Any]) -> M:
    """A message out of its fields.

    Raises:
        WireError: as `parse`.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _wrong(error) from error


def _wrong(error: ValidationError) -> WireError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "body"
    return WireError(f"{printable(where, 100)}: {printable(first['msg'])}")


def numbers(data: Any, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """The numbers of a JSON tensor, flat or nested, as an array of this shape.

    Raises:
        WireError: no numbers, too few, too many, or out of the range of the type.
    """
    try:
        found = np.asarray(data)
    except (ValueError, OverflowError) as error:
        raise WireError(f"expected data of shape {list(shape)}, but got: {error}") from error
    if found.dtype.kind not in "iuf" or (dtype.kind == "u" and found.dtype.kind == "f"):
        raise WireError(f"expected data of {dtype.name} numbers, but got others")
    if found.size != int(np.prod(shape, dtype=object)):
        raise WireError(f"expected data of shape {list(shape)}, but got {found.size} numbers")
    if dtype.kind == "u" and found.size and not 0 <= found.min() <= found.max() <= 255:
        raise WireError("expected data of integers from 0 to 255, but got others")
    with np.errstate(over="ignore"):  # what became infinite is refused later
        return found.astype(dtype).reshape(shape)
