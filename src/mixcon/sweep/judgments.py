"""The three judgments of a trial: a cheap and a strong one to select by, one on the test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from mixcon.attacks import Attack, Decoder, Posterior, Rmle, strongest
from mixcon.data import Splits
from mixcon.kinds import Kind

__all__ = ["CHEAP", "STRONG", "StageName", "fitting"]


class CheapRmle(Rmle):
    """`rmle` cut short, under a name of its own: it runs beside the full one."""

    name = "rmle-cheap"


class CheapDecoder(Decoder):
    """`decoder` cut short, likewise."""

    name = "decoder-cheap"


class CheapPosterior(Posterior):
    """`posterior` from fewer of the likeliest, likewise."""

    name = "posterior-cheap"


CHEAP: Sequence[Attack[Any]] = (
    CheapRmle(steps=100),
    CheapDecoder(steps=200),
    CheapPosterior(likely=32, steps=20),
)
"""What every trial is attacked with. Any attack's success is a lower bound of the leakage; it takes
a decoder to see through noise, and the likeliest samples where so short a decoder learns little.
The later judgments run these too, so that none finds less."""

STRONG: Sequence[Attack[Any]] = tuple(
    {attack.name: attack for kind in Kind for attack in strongest(kind)}.values()
)
"""What trials near the front are attacked with as well: those of the strongest that fit."""

StageName: TypeAlias = Literal["cheap", "strong", "test"]


def fitting(attacks: Sequence[Attack[Any]], data: Splits) -> tuple[Attack[Any], ...]:
    """The attacks that can reconstruct such inputs."""
    return tuple(attack for attack in attacks if data.test.kind in attack.inputs)
