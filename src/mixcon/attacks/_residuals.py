"""How far guessed representations are from those received, whatever the scale of either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from mixcon._memory import at_once
from mixcon.attacks.base import WhiteBox

__all__ = ["ResidualName", "residual"]

ResidualName = Literal["relative", "cosine", "whitened"]

_SAMPLES = 1024  # so many auxiliary samples say how much each number varies


def residual(
    name: ResidualName, z: Tensor, knowledge: WhiteBox
) -> Callable[[Tensor, Tensor], Tensor]:
    """A function from guesses, (K, ...), and the rows of z that they are for, (K,), to (K,).

    ``relative``: squared error over the squared norm of z. ``cosine``: 1 - cosine, which no
    scaling of a representation changes. ``whitened``: mean squared error of numbers divided by
    their standard deviation over auxiliary samples (over z itself without any), so that a
    direction which the defense has contracted counts as much as any other.
    """
    rows = z.flatten(1)
    tiny = torch.finfo(z.dtype).tiny
    if name == "cosine":
        unit = nn.functional.normalize(rows, dim=1)
        return lambda guess, at: 1 - nn.functional.cosine_similarity(guess.flatten(1), unit[at])
    if name == "whitened":
        deviation = _deviation(rows, knowledge)
        return lambda guess, at: ((guess.flatten(1) - rows[at]) / deviation).square().mean(1)
    scale = rows.square().sum(1).clamp_min(tiny)
    return lambda guess, at: (guess.flatten(1) - rows[at]).square().sum(1) / scale[at]


def _deviation(rows: Tensor, knowledge: WhiteBox) -> Tensor:
    own = knowledge.taught
    if len(own):
        count = at_once(_SAMPLES, (rows.shape[1],), numbers=2**24)
        parts = own[:count].to(rows).split(at_once(128, knowledge.shape))
        rows = torch.cat([knowledge.query(part).flatten(1) for part in parts])
    deviation = rows.std(0, correction=0)
    # A number that hardly varies is not blown up: what sets it apart is rounding.
    least = 0.01 * deviation.square().mean().sqrt()
    floored: Tensor = deviation.clamp_min(least) if least > 0 else torch.ones_like(deviation)
    return floored
