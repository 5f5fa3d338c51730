"""Which attack an attacker would choose: more own samples where the first ones leave it open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["MORE", "contenders", "scores_over_all"]

MORE = 96  # further auxiliary samples that decide where the choice is open
_MOST = 5  # attacks that are run on them
_ERRORS = 3.0  # standard errors behind the best within which an attack may be the best


def contenders(scores: Sequence[Tensor], *, higher: bool) -> list[int]:
    """Places of the attacks that may be the best, the best so far first.

    An attack is out if its mean lies more than three standard errors behind the best. The error is
    that of the difference, sample by sample, so that how hard a sample is does not count.

    Args:
        scores: of each attack, (N,), of the same samples; N at least 2.
        higher: whether more is better.

    Returns:
        At most 5 places; of more, those of the best means.
    """
    signed = torch.stack([s.double() if higher else -s.double() for s in scores])
    means = signed.mean(1)
    behind = signed[means.argmax()] - signed
    near = behind.mean(1) <= _ERRORS * behind.std(1) / len(behind[0]) ** 0.5
    order: list[int] = means.argsort(descending=True, stable=True).tolist()
    return [place for place in order if near[place]][:_MOST]


def scores_over_all(first: Sequence[Tensor], more: Mapping[int, Tensor]) -> list[float]:
    """The mean score of each attack over all samples.

    What the others would have scored on the further samples is not known. Their means move by as
    much as that of the attack that was the best, so that it stays as far ahead of them.

    Args:
        first: as `scores` of `contenders`.
        more: scores of further samples of its attacks by their places, in its order.
    """
    means = [each.double().mean().item() for each in first]
    whole = {i: torch.cat([first[i], also]).double().mean().item() for i, also in more.items()}
    best = next(iter(more))
    moved = whole[best] - means[best]
    return [whole.get(place, mean + moved) for place, mean in enumerate(means)]
