"""The comparisons of reconstructions with originals that need nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixcon.errors import NonFiniteError
from mixcon.metrics._samples import check_unit_range, comparable
from mixcon.metrics.cosine import cosine
from mixcon.metrics.pixel import mse, psnr
from mixcon.metrics.structural import ssim

__all__ = ["METRICS", "Metric", "measure"]

_CHUNK = 512


@dataclass(frozen=True)
class Metric:
    """A comparison of reconstructions with originals, one number a sample.

    Attributes:
        function: maps (reconstruction, original), both (N, ...), to (N,).
        higher_leaks: whether a higher value means a better reconstruction.
        images_only: whether it needs images (N, C, H, W).
        description: one line for tables.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    higher_leaks: bool
    images_only: bool
    description: str


METRICS: dict[str, Metric] = {
    "mse": Metric(mse, False, False, "mean squared error, 0 is identical"),
    "psnr": Metric(psnr, True, True, "peak signal-to-noise ratio in dB, infinite is identical"),
    "ssim": Metric(ssim, True, True, "structural similarity in [-1, 1], 1 is identical"),
    "cosine": Metric(cosine, True, False, "cosine similarity in [-1, 1], 1 is parallel"),
}


def measure(reconstruction: Tensor, original: Tensor) -> dict[str, Tensor]:
    """Every applicable metric: name to one value per sample, (N,), float32 or float64.

    Args:
        reconstruction: (N, C, H, W) images in [0, 1], or (N, d) vectors.
        original: the same shape.

    Raises:
        ConfigError: the shapes differ or are no batch of samples, or images outside of [0, 1].
        NonFiniteError: NaN or infinity in the reconstruction.
    """
    reconstruction, original = comparable(reconstruction, original)
    if not reconstruction.isfinite().all():
        raise NonFiniteError("expected a finite reconstruction, but got NaN or infinity")
    if original.ndim == 4:
        check_unit_range("reconstructions", reconstruction)
        check_unit_range("originals", original)
    parts = zip(reconstruction.split(_CHUNK), original.split(_CHUNK), strict=True)
    chunks = [
        {
            name: metric.function(a, b)
            for name, metric in METRICS.items()
            if original.ndim == 4 or not metric.images_only
        }
        for a, b in parts
    ]
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
