"""What channels ask of their settings."""

from __future__ import annotations

import math

from mixcon.errors import ConfigError

__all__ = ["check_amount"]


def check_amount(name: str, value: float) -> float:
    """`value` as a float; refuse what is negative or not finite."""
    if isinstance(value, bool | str) or not math.isfinite(value) or value < 0:
        raise ConfigError(f"expected {name} to be a finite number >= 0, but got {value!r}")
    return float(value)
