"""Additive Laplace noise."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.channels._checks import check_amount
from mixcon.channels.base import Channel, Distribution

__all__ = ["LaplaceNoise"]

_TINY = 1e-6


class LaplaceNoise(Channel):
    """Adds fresh Laplace noise to every number, in training and at inference alike.

        z + scale n,   n of density exp(-|t|) / 2

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

    Cost: a Laplace number for each of z, on the device from the system's secure source; no weights,
    no bytes saved.
    """

    draws: Distribution | None = "laplace"
    smooth = True
    search = {"scale": ("0.01,0.03,0.1,0.3,1", "0.01..1")}  # noqa: RUF012

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = check_amount("scale", scale)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Add the noise."""
        return z + self.scale * noise

    @property
    def noise_scale(self) -> float:
        """The scale."""
        return self.scale

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """Minus the L1 distance over the scale."""
        distance = torch.cdist(z.flatten(1).double(), given.flatten(1).double(), p=1)
        return -distance / max(self.scale, _TINY)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"scale={self.scale:g}"
