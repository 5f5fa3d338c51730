"""A small residual network for images of any size."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.models._checks import check_classes

__all__ = ["resnet"]

_SMALLEST = 16
_WIDTHS = (32, 64, 128)


def resnet(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """A convolution, three residual blocks that halve height and width, and two linear layers.

    For images of 64 x 64 and more the first convolution and a pooling make a quarter of each side,
    so that 224 x 224 pixels are still quick on a CPU. Cut at "block3": 128 maps of 4 x 4 for 28 x
    28 pixels, of 2 x 2 for 64 x 64. Later cuts are "pool" (128 numbers) and "relu" (64).

    Args:
        shape: (channels, height, width), with 1 or 3 channels and at least 16 pixels a side.
        classes: number of logits, at least 2.

    Returns:
        A network from (N, channels, height, width) to logits (N, classes).

    Raises:
        ConfigError: another shape, or fewer than two classes.

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016.
    """
    _check(shape)
    check_classes(classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict(stem=_stem(shape))
    widths = (_WIDTHS[0], *_WIDTHS)
    for number, (before, after) in enumerate(pairwise(widths), start=1):
        layers[f"block{number}"] = Residual(before, after)
    layers |= {
        "pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(widths[-1], 64),
        "relu": nn.ReLU(),
        "fc2": nn.Linear(64, classes),
    }
    return nn.Sequential(layers)


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; halves height and width.

    Args:
        before: channels that come in.
        after: channels that go out.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(before, after, 1, stride=2, bias=False), nn.BatchNorm2d(after)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(cast(Tensor, self.inner(x) + self.shortcut(x)))


def _stem(shape: tuple[int, ...]) -> nn.Sequential:
    channels, width = shape[0], _WIDTHS[0]
    large = min(shape[1:]) >= 64
    convolution = nn.Conv2d(channels, width, 3, stride=1 + large, padding=1, bias=False)
    return nn.Sequential(
        convolution,
        nn.BatchNorm2d(width),
        nn.ReLU(),
        *([nn.MaxPool2d(2)] if large else []),
    )


def _check(shape: tuple[int, ...]) -> None:
    if Kind.IMAGE.fits(shape) and shape[0] in (1, 3) and min(shape[1:]) >= _SMALLEST:
        return
    raise ConfigError(
        "expected images of shape (channels, height, width) with 1 or 3 channels and at least "
        f"{_SMALLEST} pixels a side for resnet, but got shape {shape}; choose another network"
    )
