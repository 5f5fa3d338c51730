"""LeNet-5, the network of the experiments on small images (section 4.3)."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from mixcon.models._checks import check_classes, check_image

__all__ = ["lenet5"]


def lenet5(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Two convolution blocks and three fully-connected layers, with ReLU and max pooling.

    The paper cuts after the second block, at "pool2": 16 x 5 x 5 = 400 numbers leave the device,
    for images of either size, because only the smaller ones are padded.

    Args:
        shape: (channels, height, width), with 1 or 3 channels and 28 x 28 or 32 x 32 pixels.
        classes: number of logits, at least 2.

    Returns:
        A network from (N, channels, height, width) to logits (N, classes).

    Raises:
        ConfigError: another shape, or fewer than two classes.
    """
    check_image("lenet5", shape, sides=(28, 32))
    check_classes(classes)
    channels, side, _ = shape
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(channels, 6, kernel_size=5, padding=(32 - side) // 2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(6, 16, kernel_size=5),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(400, 120),
            relu3=nn.ReLU(),
            fc2=nn.Linear(120, 84),
            relu4=nn.ReLU(),
            fc3=nn.Linear(84, classes),
        )
    )
