"""Perceptual similarity: PSIM = 1 - distance between the features of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.metrics._samples import check_unit_range, comparable
from mixcon.metrics.recognizer import Recognizer

__all__ = ["PerceptualDistance", "RecognizerDistance", "psim"]

_CHUNK = 256


class PerceptualDistance(Protocol):
    """A distance between images in the eyes of a network."""

    @property
    def name(self) -> str:
        """Which network, in words, for the record."""

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances, (N,), of images in [0, 1], (N, C, H, W) twice; 0 for identical ones."""


@dataclass(frozen=True)
class RecognizerDistance:
    """The form of LPIPS, on the features of a recognizer trained on the auxiliary images.

    With u_l and v_l the activations of layer l, scaled at each place to unit length over the
    channels,

        distance = mean over layers l of  mean over places of  |u_l - v_l|^2 / 2,

    in [0, 1], as activations are not negative. Unlike LPIPS it weighs all channels alike, so its
    values do not compare with those of LPIPS, nor across data sets.

    Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, Eq. 1.
    """

    recognizer: Recognizer

    @property
    def name(self) -> str:
        """Which network, in words, for the record."""
        return (
            f"features of a recognizer ({len(self.recognizer.blocks)} convolution layers, trained "
            f"on {int(self.recognizer.trained_on):,} auxiliary images)"
        )

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances in [0, 1], (N,), of images in [0, 1], (N, C, H, W) twice."""
        a, b = comparable(a, b, images=True)
        layers = zip(self.recognizer.features(a), self.recognizer.features(b), strict=True)
        gaps = [(F.normalize(u) - F.normalize(v)).square().sum(1) / 2 for u, v in layers]
        return torch.stack([gap.mean((1, 2)) for gap in gaps]).mean(0)


@torch.no_grad()
def psim(
    reconstruction: Tensor,
    original: Tensor,
    distance: PerceptualDistance | Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """Perceptual similarity of each image, 1 - distance: (N, C, H, W) twice to (N,), 1 at most.

        1 - distance(a, b)

    Source: the paper's PSIM (section 4.3), which leaves the network open: `distance` is it.

    Args:
        reconstruction: images in [0, 1].
        original: images of the same shape.
        distance: between two batches of images.

    Raises:
        ConfigError: the shapes differ, are no (N, C, H, W), or values outside of [0, 1].

    Cost: a forward pass of the network behind the distance for each image.
    """
    reconstruction, original = comparable(reconstruction, original, images=True)
    check_unit_range("reconstructions", reconstruction)
    check_unit_range("originals", original)
    parts = zip(reconstruction.split(_CHUNK), original.split(_CHUNK), strict=True)
    return 1 - torch.cat([distance(a, b) for a, b in parts])
