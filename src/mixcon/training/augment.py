"""Changes to training images that keep their class."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.registry import Registry

__all__ = ["AUGMENTATIONS", "flip", "shift"]

_REACH = 8  # an image moves by up to an eighth of its height


def shift(x: Tensor) -> Tensor:
    """Each image moved by up to an eighth of its height in both directions; zeros move in.

    Args:
        x: images, (N, C, H, W).
    """
    count, channels, height, width = x.shape
    reach = height // _REACH
    padded = F.pad(x, (reach,) * 4)
    down, right = torch.randint(2 * reach + 1, (2, count, 1, 1, 1), device=x.device)
    rows = down + torch.arange(height, device=x.device).view(-1, 1)
    columns = right + torch.arange(width, device=x.device)
    sample = torch.arange(count, device=x.device).view(-1, 1, 1, 1)
    channel = torch.arange(channels, device=x.device).view(-1, 1, 1)
    return padded[sample, channel, rows, columns]


def flip(x: Tensor) -> Tensor:
    """Each image mirrored left to right with probability 1/2.

    Args:
        x: images, (N, C, H, W).
    """
    mirrored = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(mirrored, x.flip(-1), x)


AUGMENTATIONS: Registry[Callable[[Tensor], Tensor]] = Registry(
    "augmentations",
    {"none": lambda x: x, "shift": shift, "shift-flip": lambda x: flip(shift(x))},
)
