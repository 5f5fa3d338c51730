"""MixCon of a small float32 batch on the CPU: loss and gradient in closed form, on NumPy.

Such a batch takes less time to compute than PyTorch takes to dispatch; NumPy's calls cost a
fraction, and float64 lets everything follow from one Gram matrix per group: nothing cancels that
float32 could tell apart. The formulas are those of `mixcon.losses.mixcon`; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["loss_and_gradient"]

Array = NDArray[np.floating[Any]]


@np.errstate(all="ignore")  # as PyTorch: NaN and infinity pass through
def loss_and_gradient(
    z: Array, partners: Sequence[Sequence[int]], beta: float, eps: float, normalize: bool
) -> tuple[Array, Array]:
    """The loss with the barrier d + beta / d, and its gradient by z.

    Args:
        z: representations, (N, m); left as they are.
        partners: p rows of K positions in the batch, those that are paired with each other.
        beta: repulsion.
        eps: squared distances are clamped to [eps, 1/eps].
        normalize: scale each representation to unit L2 norm first.
    """
    index = np.array(partners)
    p, classes = index.shape
    count = p * classes * (classes - 1)
    rows = z[index].astype(np.float64)
    gram = rows @ rows.swapaxes(1, 2)
    if normalize:
        scale = _scale(gram)
        gram *= scale
    square = _diagonal(gram)
    d = square[:, :, None] + square[:, None, :] - 2 * gram
    clamped = d.clip(eps, 1 / eps)
    repulsion = beta / clamped
    value = clamped + repulsion
    _diagonal(value)[...] = 0
    # Outside the clamp the loss is flat; d is exactly 0 on the diagonal, so that is out too.
    pull = (repulsion / clamped - 1) * (clamped == d) * (4 / count)
    toward = _diagonal(pull)
    toward -= pull.sum(2)
    if normalize:  # what is left across the representation
        toward -= (pull * gram).sum(2)
        pull *= scale
    gradient = np.zeros(z.shape, z.dtype)
    gradient[index] = pull @ rows
    return np.array(value.sum() / count, z.dtype), gradient


def _scale(gram: Array) -> Array:
    """One over the products of the norms, (p, K, K); 0 for a zero row, which so stays zero."""
    norm = np.sqrt(_diagonal(gram))
    inverse = (norm > 0) / (norm + (norm == 0))
    scale: Array = inverse[:, :, None] * inverse[:, None, :]
    return scale


def _diagonal(square: Array) -> Array:
    """A view of (p, K, K), as (p, K)."""
    p, classes, _ = square.shape
    return square.reshape(p, -1)[:, :: classes + 1]
