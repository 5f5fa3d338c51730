"""Distance correlation between inputs and representations (NoPeek)."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.losses._batch import flat_rows, full_precision, norms, spoiled
from mixcon.losses.base import SeparabilityLoss

__all__ = ["DistanceCorrelationLoss", "distance_correlation"]


def distance_correlation(z: Tensor, x: Tensor, *, squared: bool = False) -> Tensor:
    """Distance correlation of two samples: 0 if z tells nothing about x, 1 if it is x rescaled.

    The sample statistic of Székely et al. (biased, V-statistic form, the square root taken) on
    Euclidean distances; with `squared=True` on squared distances, as some NoPeek codes have it.
    A weight tuned for one variant does not carry over to the other. Half precision is computed in
    float32; memory grows with the square of the batch size.

        sqrt( <A, B> / (|A| |B|) ),   A, B the doubly centered distances within z and within x

    Args:
        z: representations, (N, ...), any floating type.
        x: inputs, (N, ...), the same N.
        squared: use squared Euclidean distances.

    Returns:
        The distance correlation, a scalar in [0, 1]; 0, with a gradient of 0, where z or x does
        not vary over the batch; NaN where one of them has NaN or infinity.

    Raises:
        ConfigError: z and x differ in length, or are not of a floating type.

    Sources: Székely, Rizzo, Bakirov, Annals of Statistics 2007, Definition 3; Vepakomma et al.,
    NoPeek, ICDM Workshops 2020.

    Cost: time O(N^2 (m + d)), memory O(N^2) for a batch of N with m numbers of z and d of x.

    >>> x = torch.tensor([[0.0], [1.0], [3.0]])
    >>> round(distance_correlation(2 * x + 1, x).item(), 6)
    1.0
    """
    if len(z) != len(x):
        raise ConfigError(f"expected as many inputs as representations, but got {len(x)}, {len(z)}")
    with full_precision(z):
        a, b = (_centered_distances(flat_rows(t), squared) for t in (z, x))
        b = b.to(a.dtype)
        size = torch.linalg.vector_norm(a) * torch.linalg.vector_norm(b)
        ratio = (a * b).sum() / torch.where(size == 0, 1, size)
        # The covariance of centered distances is >= 0 up to rounding; sqrt has no slope at 0.
        nothing = ratio <= 0
        correlation = torch.where(nothing, 0, torch.where(nothing, 1, ratio).sqrt())
        return spoiled(correlation, z, x)


class DistanceCorrelationLoss(SeparabilityLoss):
    """`distance_correlation` as a module: the NoPeek loss."""

    against = "inputs"

    def __init__(self, squared: bool = False) -> None:
        super().__init__()
        self.squared = squared

    def forward(self, z: Tensor, x: Tensor) -> Tensor:
        """The loss of representations z, (N, ...), of inputs x, (N, ...)."""
        return distance_correlation(z, x, squared=self.squared)

    def extra_repr(self) -> str:
        """The settings, as `print` shows them."""
        return f"squared={self.squared}"


def _centered_distances(rows: Tensor, squared: bool) -> Tensor:
    rows = rows / norms(rows, (0, 1)).detach()  # the scale does not count, and stays in range
    rows = rows - rows.mean(0)
    square = rows.square().sum(1)
    d = square[:, None] + square[None, :] - 2 * (rows @ rows.mT)
    itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    d = d.masked_fill(itself, 0).clamp_min(0)
    if not squared:
        together = d <= 0  # not where d is NaN, which is to stay
        d = torch.where(together, 0, torch.where(together, 1, d).sqrt())
    return d - d.mean(0) - d.mean(1, keepdim=True) + d.mean()
