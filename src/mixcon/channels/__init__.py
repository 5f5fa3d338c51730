"""What happens to a representation before it leaves the device.

Each channel is a module from (N, ...) to (N, ...) that keeps the dtype. Unlike a regularizer it
acts in evaluation mode too: it is part of what the device does at inference.
"""

from __future__ import annotations

from torch import nn

from mixcon.channels.dropout import Dropout
from mixcon.channels.gaussian import GaussianNoise
from mixcon.channels.laplace import LaplaceNoise
from mixcon.channels.normalize import Normalize
from mixcon.channels.quantize import Quantize

__all__ = [
    "CHANNELS",
    "Dropout",
    "GaussianNoise",
    "LaplaceNoise",
    "Normalize",
    "Quantize",
    "compose",
]

CHANNELS: dict[str, type[nn.Module]] = {
    "normalize": Normalize,
    "gaussian": GaussianNoise,
    "laplace": LaplaceNoise,
    "dropout": Dropout,
    "quantize": Quantize,
}


def compose(*channels: nn.Module) -> nn.Module:
    """One channel that applies `channels` from left to right; the identity for none."""
    return nn.Sequential(*channels) if channels else nn.Identity()
