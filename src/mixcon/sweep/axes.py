"""Axes: the values that one setting may take in a search, as a list or as a range."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, PlainSerializer

from mixcon.errors import ConfigError

__all__ = ["Axis", "NamesField", "Value"]

Value: TypeAlias = float | int | str


@dataclass(frozen=True)
class Axis:
    """The values of one setting: those of a list, or all between two ends.

    Attributes:
        values: the list; empty for a range.
        low: smallest value of a range.
        high: largest value of a range.
    """

    values: tuple[Value, ...] = ()
    low: float = math.nan
    high: float = math.nan

    @classmethod
    def parse(cls, text: Any) -> Axis:
        """An axis from ``"[0.01, 0.1, 1]"``, with or without brackets, or ``"1e-8..1e-2"``.

        Raises:
            ConfigError: an empty or repeated value, or ends that are no numbers in order.

        Example:
            >>> Axis.parse("0.1, 1").values
            (0.1, 1)
            >>> Axis.parse("1e-2..1e-8").low
            1e-08
        """
        if isinstance(text, Axis):
            return text
        if isinstance(text, str) and ".." in text:
            return cls._range(text.strip("[] "))
        return cls._list(text, _value)

    @classmethod
    def names(cls, text: Any) -> Axis:
        """A list of names, of which some may look like numbers: those of layers do.

        Raises:
            ConfigError: an empty or repeated name.

        Example:
            >>> Axis.names("1.10, pool2").values
            ('1.10', 'pool2')
        """
        return text if isinstance(text, Axis) else cls._list(text, lambda part: str(part).strip())

    @classmethod
    def _list(cls, text: Any, read: Callable[[Any], Value]) -> Axis:
        parts = text.strip("[] ").split(",") if isinstance(text, str) else text
        parts = list(parts) if isinstance(parts, list | tuple) else [parts]
        values = tuple(map(read, parts))
        if not values or "" in values or len(set(values)) != len(values):
            raise ConfigError(f"expected different values such as 0.01,0.1,1, but got {text!r}")
        return cls(values)

    @classmethod
    def _range(cls, text: str) -> Axis:
        ends = [_value(part) for part in text.split("..")]
        numbers = sorted(float(end) for end in ends if not isinstance(end, str))
        if len(ends) != 2 or len(numbers) != 2 or numbers[0] == numbers[1]:
            raise ConfigError(f"expected a range such as 1e-8..1e-2, but got {text!r}")
        return cls((), *numbers)

    def __str__(self) -> str:
        if self.values:
            return ",".join(map(str, self.values))
        return f"{self.low!r}..{self.high!r}"

    @property
    def is_list(self) -> bool:
        """Whether the values are listed one by one."""
        return bool(self.values)

    @property
    def is_logarithmic(self) -> bool:
        """Whether a range is searched by order of magnitude: it spans more than one."""
        return self.low > 0 and self.high > 10 * self.low

    @property
    def samples(self) -> tuple[Value, ...]:
        """The values, or the ends of the range."""
        return self.values or (self.low, self.high)


NamesField: TypeAlias = Annotated[Axis, BeforeValidator(Axis.names), PlainSerializer(str)]
"""A list of names as a field of a config: text in TOML, checked when it is read."""


def _value(part: Any) -> Value:
    """A number where the text is one: an int if it is whole, else a float."""
    if not isinstance(part, str):
        return part if isinstance(part, int | float) else str(part)
    text = part.strip()
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text
