"""What happens to a representation before it leaves the device. One channel a file.

Each is a module from (N, ...) to (N, ...) that keeps the dtype. Unlike a regularizer it acts in
evaluation mode too: it is part of what the device does at inference.
"""

from __future__ import annotations

from mixcon.channels.base import (
    Channel,
    Distribution,
    Levels,
    averaged,
    compose,
    parts,
    received,
)
from mixcon.channels.code import Code
from mixcon.channels.dropout import Dropout
from mixcon.channels.gaussian import GaussianNoise
from mixcon.channels.laplace import LaplaceNoise
from mixcon.channels.map_channels import MapChannels
from mixcon.channels.normalize import Normalize
from mixcon.channels.project import Project
from mixcon.channels.quantize import Quantize
from mixcon.registry import Registry

__all__ = [
    "CHANNELS",
    "Channel",
    "Code",
    "Distribution",
    "Dropout",
    "GaussianNoise",
    "LaplaceNoise",
    "Levels",
    "MapChannels",
    "Normalize",
    "Project",
    "Quantize",
    "averaged",
    "compose",
    "parts",
    "received",
]

CHANNELS: Registry[type[Channel]] = Registry(
    "channels",
    {
        "normalize": Normalize,
        "project": Project,
        "channels": MapChannels,
        "code": Code,
        "gaussian": GaussianNoise,
        "laplace": LaplaceNoise,
        "dropout": Dropout,
        "quantize": Quantize,
    },
)
