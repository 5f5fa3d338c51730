"""A small network for sound and other sequences."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.models._checks import check_classes

__all__ = ["audio"]

_SHORTEST = 32


def audio(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Two blocks of convolution along time, ReLU and max pooling, then two linear layers.

    Each block shortens time to a quarter. Cut at "pool2": 16 x T / 16 numbers leave the device.

    Args:
        shape: (channels, samples), at least 32 samples.
        classes: number of logits, at least 2.

    Returns:
        A network from (N, channels, samples) to logits (N, classes).

    Raises:
        ConfigError: no sequences, shorter ones, or fewer than two classes.
    """
    if not Kind.SEQUENCE.fits(shape) or shape[1] < _SHORTEST:
        raise ConfigError(
            f"expected sequences of shape (channels, samples) with {_SHORTEST} samples or more for "
            f"audio, but got shape {shape}; choose another network"
        )
    check_classes(classes)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv1d(shape[0], 16, 9, stride=2, padding=4),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool1d(2),
        conv2=nn.Conv1d(16, 16, 9, stride=2, padding=4),
        relu2=nn.ReLU(),
        pool2=nn.MaxPool1d(2),
        flatten=nn.Flatten(),
    )
    with torch.no_grad():
        numbers = nn.Sequential(layers)(torch.zeros(1, *shape)).shape[1]
    layers["fc1"] = nn.Linear(numbers, 64)
    layers["relu3"] = nn.ReLU()
    layers["fc2"] = nn.Linear(64, classes)
    return nn.Sequential(layers)
