"""The three judgments of a trial: a cheap and a strong one to select by, one on the test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from mixcon.attacks import Attack, Decoder, Rmle, strongest
from mixcon.data import Splits

__all__ = ["CHEAP", "STRONG", "StageName", "fitting"]

CHEAP: Sequence[Attack[Any]] = (Rmle(steps=100), Decoder(steps=200))
"""What every trial is attacked with. Any attack's success is a lower bound of the leakage; it takes
a decoder to see through noise."""

STRONG: Sequence[Attack[Any]] = tuple(
    {attack.name: attack for kind in ("images", "vectors") for attack in strongest(kind)}.values()
)
"""What only the trials near the front are attacked with: those of the strongest that fit."""

StageName: TypeAlias = Literal["cheap", "strong", "test"]


def fitting(attacks: Sequence[Attack[Any]], data: Splits) -> tuple[Attack[Any], ...]:
    """The attacks that can reconstruct such inputs."""
    kind = "images" if data.test.is_image else "vectors"
    return tuple(attack for attack in attacks if kind in attack.inputs)
