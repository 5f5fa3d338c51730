"""Additive Gaussian noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.channels._checks import check_amount
from mixcon.channels.base import Channel, Distribution

__all__ = ["GaussianNoise"]

_TINY = 1e-6


class GaussianNoise(Channel):
    """Adds fresh Gaussian noise to every number, in training and at inference alike.

        z + sigma n,   n ~ N(0, I)

    Source: a defense in He, Zhang and Lee, "Model Inversion Attacks Against Collaborative
    Inference", ACSAC 2019.

    Args:
        sigma: standard deviation of the noise, in the units of the representation, >= 0.

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: sigma is negative or not finite.

    Cost: a normal number for each of z, on the device from the system's secure source; no weights,
    no bytes saved.
    """

    draws: Distribution | None = "normal"
    smooth = True
    search = {"sigma": ("0.01,0.03,0.1,0.3,1", "0.01..1")}  # noqa: RUF012

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = check_amount("sigma", sigma)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Add the noise."""
        return z + self.sigma * noise

    @property
    def noise_scale(self) -> float:
        """Sigma."""
        return self.sigma

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """Minus the squared distance over 2 sigma^2."""
        distance = torch.cdist(z.flatten(1).double(), given.flatten(1).double())
        return -distance.square() / (2 * max(self.sigma, _TINY) ** 2)

    def averaged(self, repeats: int) -> GaussianNoise:
        """The mean of k releases is one with sigma / sqrt(k), and all that they say together."""
        return GaussianNoise(self.sigma / math.sqrt(repeats))

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"sigma={self.sigma:g}"
