"""PSIM by several networks of ours: the paper names neither its network nor the distance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.data import LabeledSet
from mixcon.metrics.recognizer import train_recognizer
from mixcon.models import whole

__all__ = ["PSIMS", "psims"]

Features = Callable[[Tensor], list[Tensor]]

_NETWORKS = ("recognizer", "vanilla LeNet-5", "untrained LeNet-5")
_DISTANCES = ("unit", "squared")
PSIMS = tuple(f"{network}, {form}" for network, form in product(_NETWORKS, _DISTANCES))
"""Each network by each distance: of features of unit length at each place, as in LPIPS, or the
mean squared one of Johnson et al., "Perceptual Losses for Real-Time Style Transfer", 2016, whom the
paper cites."""


@torch.no_grad()
def psims(
    a: Tensor, b: Tensor, train: LabeledSet, vanilla: nn.Module, steps: int
) -> dict[str, list[float]]:
    """One value an image of each of `PSIMS`, images in [0, 1], (N, C, H, W) twice.

    Args:
        a: reconstructions.
        b: originals.
        train: what the recognizer learns from.
        vanilla: encoder of an undefended LeNet-5, a sequence of layers.
        steps: of the recognizer's training.
    """
    classes = len(train.classes)
    recognizer = train_recognizer(train.floats(), train.labels, classes, 0, steps=steps)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        untrained = whole("lenet5", train.shape, classes)
    networks: tuple[Features, ...] = (
        recognizer.features,
        partial(_activations, vanilla),
        partial(_activations, untrained),
    )
    found = {}
    for name, features in zip(_NETWORKS, networks, strict=True):
        layers = list(zip(features(a), features(b), strict=True))
        for form in _DISTANCES:
            gaps = [_gap(u, v, form) for u, v in layers]
            found[f"{name}, {form}"] = (1 - torch.stack(gaps).mean(0)).tolist()
    return found


def _activations(network: nn.Module, images: Tensor) -> list[Tensor]:
    """What its ReLUs on images give, (N, C, H, W) each."""
    found, x = [], images
    for layer in network.children():
        x = layer(x)
        if x.ndim < 4:
            break
        if isinstance(layer, nn.ReLU):
            found.append(x)
    return found


def _gap(u: Tensor, v: Tensor, form: str) -> Tensor:
    if form == "unit":
        return (F.normalize(u) - F.normalize(v)).square().sum(1).mean((1, 2)) / 2
    return (u - v).square().mean((1, 2, 3))
