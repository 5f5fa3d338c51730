"""Additive Gaussian noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.channels._checks import check_amount

__all__ = ["GaussianNoise"]


class GaussianNoise(nn.Module):
    """Adds fresh Gaussian noise to every number, in training and at inference alike.

    Source: a defense in He, Zhang and Lee, "Model Inversion Attacks Against Collaborative
    Inference", ACSAC 2019.

    Args:
        sigma: standard deviation of the noise, in the units of the representation, >= 0.

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: sigma is negative or not finite.
    """

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = check_amount("sigma", sigma)

    def forward(self, z: Tensor) -> Tensor:
        """Draw noise from torch's default generator of the device of z, and add it."""
        return z + self.sigma * torch.randn_like(z)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"sigma={self.sigma:g}"
