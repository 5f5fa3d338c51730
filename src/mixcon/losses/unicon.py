"""UniCon, the paper's within-class alternative to MixCon (Appendix D.1)."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.losses._batch import check_labels, flat_rows, full_precision, norms, spoiled
from mixcon.losses.base import SeparabilityLoss

__all__ = ["UniConLoss", "unicon_loss"]


def unicon_loss(z: Tensor, y: Tensor, *, normalize: bool = True) -> Tensor:
    """UniCon: mean squared distance within a class, averaged over classes.

    The mean runs over ordered pairs of distinct members; a class with one member in the batch has
    no pair and is left out. A batch without any pair costs 0. Half precision is computed in
    float32.

        mean over classes of  mean over members i != j of  |z_i - z_j|^2

    Args:
        z: representations, (N, ...), any floating type.
        y: integer labels, (N,).
        normalize: scale each representation to unit L2 norm first (paper, footnote 3). A zero
            representation stays zero and receives no gradient.

    Returns:
        The loss, a scalar >= 0; NaN where z has NaN or infinity.

    Raises:
        ConfigError: labels that do not match z.

    Source: Li et al., MixCon, Appendix D.1.

    Cost: time O(N^2 m) and memory O(N^2 + N m) for N representations of m numbers: two matrix
    products.

    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> unicon_loss(z, torch.tensor([0, 0, 1]))
    tensor(2.)
    """
    check_labels(z, y)
    with full_precision(z):
        rows = flat_rows(z)
        if normalize:
            rows = rows / norms(rows, 1)
        same = (y[:, None] == y[None, :]).to(rows.dtype)
        size = same.sum(1)
        paired = size > 1
        # sum_ij |zi - zj|^2 = 2 n sum_i |zi - mean|^2, so no pair has to be formed.
        spread = (rows - (same @ rows) / size[:, None]).square().sum(1)
        per_member = torch.where(paired, 2 * spread / (size - 1).clamp_min(1), 0)
        classes = torch.where(paired, 1 / size, 0).sum().clamp_min(1)
        return spoiled(per_member.sum() / classes, rows)


class UniConLoss(SeparabilityLoss):
    """`unicon_loss` as a module."""

    against = "labels"

    def __init__(self, normalize: bool = True) -> None:
        super().__init__()
        self.normalize = normalize

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """The loss of representations z, (N, ...), with labels y, (N,)."""
        return unicon_loss(z, y, normalize=self.normalize)

    def extra_repr(self) -> str:
        """The settings, as `print` shows them."""
        return f"normalize={self.normalize}"
