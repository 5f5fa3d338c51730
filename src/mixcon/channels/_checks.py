"""What channels ask of their settings."""

from __future__ import annotations

import math

from mixcon.errors import ConfigError

__all__ = ["check_amount", "check_count", "check_map"]


def check_amount(name: str, value: float) -> float:
    """`value` as a float; refuse what is negative or not finite."""
    if isinstance(value, bool | str) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"expected {name} to be a finite number >= 0, but got {value!r}")
    return float(value)


def check_count(name: str, value: int) -> int:
    """`value` as an int; refuse what is not whole or below 1."""
    if isinstance(value, bool | str) or value != int(value) or value < 1:
        raise ConfigError(f"expected {name} to be a whole number >= 1, but got {value!r}")
    return int(value)


def check_map(name: str, shape: tuple[int, ...]) -> None:
    """Refuse representations without a height and a width."""
    if len(shape) != 3:
        raise ConfigError(
            f"expected representations of shape (channels, height, width) for {name}, but got "
            f"{shape}; cut behind a convolution, or use what takes any shape: project(n=...) or "
            "code(bits=...)"
        )
