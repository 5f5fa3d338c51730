"""The numbers that the paper prints, from ``numbers.toml`` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["paper_value"]


def paper_value(table: str, group: str, setting: str, quantity: str) -> float | None:
    """What the paper prints there, or None if it prints nothing.

    Args:
        table: ``table1`` to ``table5``.
        group: the data set; empty for the synthetic one.
        setting: what was trained.
        quantity: what was measured.
    """
    value: float | None = _numbers().get(table, {}).get(group, {}).get(setting, {}).get(quantity)
    return value


@cache
def _numbers() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("numbers.toml").read_text(encoding="utf-8"))
