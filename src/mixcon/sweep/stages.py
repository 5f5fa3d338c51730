"""The three judgments of a trial: a cheap and a strong one to select by, one on the test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from mixcon.attacks import ATTACKS, Attack, Rmle
from mixcon.data import Splits

__all__ = ["CHEAP", "STRONG", "StageName", "fitting"]

CHEAP: Sequence[Attack[Any]] = (Rmle(steps=100),)
"""What every trial is attacked with. Any attack's success is a lower bound of the leakage."""

STRONG: Sequence[Attack[Any]] = tuple(attack() for attack in ATTACKS.values())
"""What only the trials near the front are attacked with: all that fit."""

StageName: TypeAlias = Literal["cheap", "strong", "test"]


def fitting(attacks: Sequence[Attack[Any]], data: Splits) -> tuple[Attack[Any], ...]:
    """The attacks that can reconstruct such inputs."""
    kind = "images" if data.test.is_image else "vectors"
    return tuple(attack for attack in attacks if kind in attack.inputs)
