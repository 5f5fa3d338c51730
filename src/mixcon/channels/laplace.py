"""Additive Laplace noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.channels._checks import check_amount

__all__ = ["LaplaceNoise"]


class LaplaceNoise(nn.Module):
    """Adds fresh Laplace noise to every number, in training and at inference alike.

    Source: the mechanism of differential privacy (Dwork, McSherry, Nissim and Smith, TCC 2006),
    a usual defense of split inference. By itself it carries no privacy guarantee: that
    takes a bound on the L1 sensitivity of the encoder.

    Args:
        scale: the noise has density exp(-|t| / scale) / (2 scale) and standard deviation
            sqrt(2) scale, in the units of the representation; >= 0.

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: scale is negative or not finite.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = check_amount("scale", scale)

    def forward(self, z: Tensor) -> Tensor:
        """Draw noise from torch's default generator of the device of z, and add it."""
        # The difference of two exponential variables is a Laplace variable.
        noise = torch.empty_like(z).exponential_() - torch.empty_like(z).exponential_()
        return z + self.scale * noise

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"scale={self.scale:g}"
