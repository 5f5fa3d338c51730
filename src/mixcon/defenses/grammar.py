"""How a defense is written: ``mixcon(weight=1, beta=1e-4) + normalize + gaussian(sigma=0.05)``.

What this module prints it also reads. In a search a value may be a range, ``0.01..1``, or a list,
``[0.1, 1, 10]``; these stay text here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from mixcon.errors import ConfigError

__all__ = ["Part", "Value", "parse_parts", "split_outside", "write_parts"]

Value: TypeAlias = bool | int | float | str

_NAME = re.compile(r"[\w.-]+(?::[\w.]+)?")
_EXAMPLE = "mixcon(weight=1, beta=1e-4) + normalize + gaussian(sigma=0.05)"


@dataclass(frozen=True)
class Part:
    """One part of a defense: its name and the settings given."""

    name: str
    settings: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={_write(value)}" for key, value in self.settings.items())
        return f"{self.name}({inside})" if inside else self.name


def parse_parts(text: str) -> tuple[Part, ...]:
    """The parts of a defense; none for ``vanilla``.

    Raises:
        ConfigError: text that is no sum of parts, with the place that is not understood.

    >>> parse_parts("gaussian(sigma=0.05)")
    (Part(name='gaussian', settings={'sigma': 0.05}),)
    """
    if text.strip() == "vanilla":
        return ()
    return tuple(_part(piece.strip(), text) for piece in split_outside(text, "+"))


def write_parts(parts: tuple[Part, ...]) -> str:
    """The text that `parse_parts` takes back."""
    return " + ".join(map(str, parts)) or "vanilla"


def split_outside(text: str, separator: str) -> Iterator[str]:
    """The pieces of a text between separators that stand outside of any brackets.

    A + or - behind the e of a number separates nothing.
    """
    depth, start = 0, 0
    for i, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == separator and depth == 0:
            yield text[start:i]
            start = i + 1
    yield text[start:]


def _part(piece: str, whole: str) -> Part:
    name = _NAME.match(piece)
    rest = piece[name.end() :].strip() if name else piece
    if name is None or (rest and not (rest[0] == "(" and rest[-1] == ")")):
        raise ConfigError(
            f"expected a defense such as '{_EXAMPLE}', but could not read '{piece}' in '{whole}'"
        )
    return Part(name.group(), dict(_settings(rest[1:-1], piece)) if rest else {})


def _settings(text: str, piece: str) -> Iterator[tuple[str, Value]]:
    seen = set()
    for item in split_outside(text, ",") if text.strip() else ():
        key, equals, value = (side.strip() for side in item.partition("="))
        if not (key.isidentifier() and equals and value) or key in seen:
            raise ConfigError(
                f"expected settings such as (weight=1, beta=1e-4), each once, but could not read "
                f"'{item.strip()}' in '{piece}'"
            )
        seen.add(key)
        yield key, _read(value)


def _read(text: str) -> Value:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _write(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
