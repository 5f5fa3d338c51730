"""Conditional entropy maximization: the information behind noise, bounded and pushed down."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.defenses.base import WEIGHTS, Batch, Penalty
from mixcon.errors import ConfigError
from mixcon.split import Sizes

__all__ = ["ConditionalEntropy"]

_MOMENTUM = 0.1  # weight of a new batch in the memory, as in batch norm


class ConditionalEntropy(Penalty):
    """An upper bound on what raw representations with Gaussian noise say of an input.

    Representations are taken for a mixture of Gaussians, one for each class y. With noise of
    deviation sigma, and since a diagonal has the largest determinant (Hadamard),

        I(X; Z) <= H(Y) + sum_y p_y / 2 sum_j log(1 + var_yj / sigma^2),

    and H(X | Z) = H(X) - I(X; Z) rises as the sum falls. The least mean squared error of any
    attack is at least exp(2 H(X | Z) / d) / (2 pi e) (theorem 1 of the source). Means and
    variances are remembered over batches; the gradient is that of the batch. An estimate in
    training: `mixcon.bounds.mutual_information_bound` certifies on samples that took no part.

    Source: Xia et al., "Theoretical Insights in Model Inversion Robustness and Conditional Entropy
    Maximization for Collaborative Inference Systems", CVPR 2025, where the mixture is found by
    clustering.

    Args:
        weight: lambda of the paper, >= 0.
        sigma: standard deviation of the noise, > 0; that of the `gaussian` beside it.
        sizes: of the model it is built for, with the shape of raw representations.

    Attributes:
        means: buffer, of each class, (classes, numbers).
        variances: buffer, likewise; 0 before the class was seen.
        shares: buffer, of each class in the batches so far, (classes,).

    Raises:
        ConfigError: a negative weight, or sigma is no positive number.

    Cost: one pass over the raw batch and two remembered numbers for each class and number. Nothing
    at inference.
    """

    search = {"weight": WEIGHTS, "sigma": ("0.03,0.1,0.3,1", "0.03..1")}  # noqa: RUF012

    means: Tensor
    variances: Tensor
    shares: Tensor

    def __init__(self, weight: float = 1.0, sigma: float = 0.1, *, sizes: Sizes) -> None:
        super().__init__(weight)
        if isinstance(sigma, bool | str) or not 0 < sigma < math.inf:
            raise ConfigError(f"expected sigma to be a finite number > 0, but got {sigma!r}")
        self.sigma = float(sigma)
        numbers = math.prod(sizes.representation)
        self.register_buffer("means", torch.zeros(sizes.classes, numbers))
        self.register_buffer("variances", torch.zeros(sizes.classes, numbers))
        self.register_buffer("shares", torch.zeros(sizes.classes))

    def cost(self, batch: Batch) -> Tensor:
        """The sum in nats, for each number: a mean over j, so that weights fit any size."""
        rows = batch.raw.flatten(1).to(self.means)
        own = F.one_hot(batch.y, len(self.shares)).to(rows)
        counts = own.sum(0)
        self._remember_means(own.T @ rows.detach(), counts)
        spread = (rows - self.means[batch.y]).square()
        found = own.T @ spread / counts.clamp_min(1)[:, None]
        self._remember_variances(found.detach(), counts)
        variances = self.variances + (found - found.detach())
        return (self.shares @ self._nats(variances)) / self.shares.sum() / rows.shape[1]

    def information(self) -> float:
        """The bound on I(X; Z) in bits, the class included, by what is remembered."""
        shares = self.shares / self.shares.sum()
        nats = torch.special.entr(shares).sum() + shares @ self._nats(self.variances)
        return float(nats) / math.log(2)

    def _nats(self, variances: Tensor) -> Tensor:
        return torch.log1p(variances / self.sigma**2).sum(1) / 2

    @torch.no_grad()
    def _remember_means(self, sums: Tensor, counts: Tensor) -> None:
        self.means += self._pace(counts) * (sums / counts.clamp_min(1)[:, None] - self.means)

    @torch.no_grad()
    def _remember_variances(self, found: Tensor, counts: Tensor) -> None:
        self.variances += self._pace(counts) * (found - self.variances)
        self.shares += _MOMENTUM * (counts / counts.sum() - self.shares)

    def _pace(self, counts: Tensor) -> Tensor:
        """How far each class moves, (classes, 1): all the way at first, not without a member."""
        pace = torch.where(self.shares > 0, _MOMENTUM, 1.0)
        return torch.where(counts > 0, pace, 0.0)[:, None]
