"""Cosine similarity of whole samples."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from mixcon.metrics._samples import comparable, rescaled

__all__ = ["cosine"]


def cosine(reconstruction: Tensor, original: Tensor) -> Tensor:
    """Cosine of the angle between each sample and its reconstruction: (N, ...) twice to (N,).

    In [-1, 1], at any scale; 0 where one of them is zero. Its mean is the paper's MCS (Table 2).

        <a, b> / (|a| |b|)

    Raises:
        ConfigError: the shapes differ, or are no batch of samples.

    Source: Li et al., MixCon, Table 2 (MCS).

    Cost: one pass.
    """
    a, b = (rescaled(part.flatten(1)) for part in comparable(reconstruction, original))
    return F.cosine_similarity(a, b, dim=1)
