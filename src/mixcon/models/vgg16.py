"""VGG-16 in its CIFAR form, the network of the CIFAR-10 experiment (appendix C)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from mixcon.models._checks import check_classes, check_image

__all__ = ["vgg16"]

# Channels of the convolutions in each block, times the width.
_BLOCKS = ((1, 1), (2, 2), (4,) * 3, (8,) * 3, (8,) * 3)


def vgg16(shape: tuple[int, ...], classes: int, width: int = 64) -> nn.Sequential:
    """Thirteen 3 x 3 convolutions with batch norm, in five blocks, and one linear layer.

    The paper cuts after "block2": 128 x 8 x 8 numbers leave the device, or 2 width x 8 x 8.

    Args:
        shape: (channels, height, width), with 1 or 3 channels and 32 x 32 pixels.
        classes: number of logits, at least 2.
        width: channels of the first block; the paper's network has 64.

    Returns:
        A network from (N, channels, 32, 32) to logits (N, classes).

    Raises:
        ConfigError: another shape, or fewer than two classes.
    """
    check_image("vgg16", shape, sides=(32,))
    check_classes(classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = shape[0]
    for number, block in enumerate(_BLOCKS, start=1):
        widths = tuple(width * times for times in block)
        layers[f"block{number}"] = _block(channels, widths)
        channels = widths[-1]
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)


def _block(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, width in enumerate(widths, start=1):
        layers[f"conv{number}"] = nn.Conv2d(channels, width, kernel_size=3, padding=1)
        layers[f"bn{number}"] = nn.BatchNorm2d(width)
        layers[f"relu{number}"] = nn.ReLU()
        channels = width
    layers["pool"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)
