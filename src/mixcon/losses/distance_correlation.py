"""Distance correlation between inputs and representations (NoPeek)."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.losses._batch import flat_rows, full_precision
from mixcon.losses.base import SeparabilityLoss

__all__ = ["DistanceCorrelationLoss", "distance_correlation"]


def distance_correlation(z: Tensor, x: Tensor, *, squared: bool = False) -> Tensor:
    """Distance correlation of two samples: 0 if z tells nothing about x, 1 if it is x rescaled.

    The sample statistic of Székely et al. (biased, V-statistic form, the square root taken) on
    Euclidean distances; with `squared=True` on squared distances, as some NoPeek codes have it.
    A weight tuned for one variant does not carry over to the other. Half precision is computed in
    float32; memory grows with the square of the batch size.

    Args:
        z: representations, (N, ...), any floating type.
        x: inputs, (N, ...), the same N.
        squared: use squared Euclidean distances.

    Returns:
        The distance correlation, a scalar in [0, 1]; 0, with a gradient of 0, where z or x does
        not vary over the batch.

    Raises:
        ConfigError: z and x differ in length.

    Sources: Székely, Rizzo, Bakirov, Annals of Statistics 2007, Definition 3; Vepakomma et al.,
    NoPeek, ICDM Workshops 2020.

    >>> x = torch.tensor([[0.0], [1.0], [3.0]])
    >>> round(distance_correlation(2 * x + 1, x).item(), 6)
    1.0
    """
    if len(z) != len(x):
        raise ConfigError(f"expected as many inputs as representations, but got {len(x)}, {len(z)}")
    with full_precision(z):
        a, b = (_centered_distances(flat_rows(t), squared) for t in (z, x))
        b = b.to(a.dtype)
        variances = (a * a).mean() * (b * b).mean()
        varies = variances > 0
        ratio = (a * b).mean() / torch.where(varies, variances, 1).sqrt()
        # The covariance of centered distances is >= 0 up to rounding; sqrt has no slope at 0.
        positive = varies & (ratio > 0)
        return torch.where(positive, torch.where(positive, ratio, 1).sqrt(), 0)


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
    rows = rows - rows.mean(0)
    square = rows.square().sum(1)
    d = square[:, None] + square[None, :] - 2 * (rows @ rows.mT)
    itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    d = d.masked_fill(itself, 0).clamp_min(0)
    if not squared:
        apart = d > 0
        d = torch.where(apart, torch.where(apart, d, 1).sqrt(), 0)
    return d - d.mean(0) - d.mean(1, keepdim=True) + d.mean()
