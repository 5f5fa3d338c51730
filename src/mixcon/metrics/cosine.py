"""Cosine similarity of whole samples."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

__all__ = ["cosine"]


def cosine(reconstruction: Tensor, original: Tensor) -> Tensor:
    """Cosine of the angle between each sample and its reconstruction: (N, ...) twice to (N,).

    In [-1, 1]; 0 where one of them is zero. Its mean is the paper's MCS (Table 2).
    """
    return F.cosine_similarity(reconstruction.flatten(1), original.flatten(1), dim=1)
