"""Chance: the accuracy that a model reaches which has learned nothing."""

from __future__ import annotations

import numpy as np
from torch import Tensor

__all__ = ["chance_level"]

_LUCK = 0.001  # so rarely a guess is taken for a model that learned something


def chance_level(labels: Tensor) -> float:
    """The accuracy that a guess reaches on these samples, with luck that one in a thousand has.

    The guess is the largest class, which no other guess exceeds on average. A model that is not
    above this level cannot be told from it: the one-sided exact binomial test against the share
    of the largest class keeps it at the level 0.001.

    Args:
        labels: true classes of the samples that the accuracy is measured on, int64 (N,), N >= 1.

    Returns:
        A multiple of 1 / N, in (0, 1].

    Example:
        >>> chance_level(torch.arange(1000) % 10)
        0.13
    """
    from scipy.special import bdtrc  # noqa: PLC0415  slow to import

    count = len(labels)
    share = int(labels.bincount().max()) / count
    hits = np.arange(count + 1)
    reached = bdtrc(hits - 1, count, share)  # P(X >= hits)
    return int(hits[reached > _LUCK].max()) / count
