"""Structural similarity."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon._memory import at_once
from mixcon.errors import ConfigError
from mixcon.metrics._samples import check_data_range, comparable

__all__ = ["ssim"]

_RADIUS, _SIGMA = 5, 1.5  # Wang et al. 2004: a Gaussian window of 11 x 11
_NUMBERS = 2**24  # of images at once


def ssim(
    reconstruction: Tensor, original: Tensor, *, data_range: float = 1.0, rescale: bool = False
) -> Tensor:
    """SSIM of each image, (N, C, H, W) twice to (N,): 1 for identical images.

    The form of Wang et al. (IEEE TIP 2004), averaged over channels and over the windows that lie
    inside the image, as scikit-image computes it with Gaussian weights. Libraries that also count
    windows over a padded border (torchmetrics 1.9 does) give other values, on digits by up to 0.2.

        mean over windows of  (2 ma mb + c1) (2 cov + c2) / ( (ma^2 + mb^2 + c1) (va + vb + c2) ),
        c1 = (0.01 range)^2, c2 = (0.03 range)^2, Gaussian windows of 11 pixels, sigma 1.5

    Args:
        reconstruction: images.
        original: images of the same shape.
        data_range: the largest value minus the smallest possible.
        rescale: return (SSIM + 1) / 2, in [0, 1], instead of the raw value in [-1, 1].

    Raises:
        ConfigError: the shapes differ, are no (N, C, H, W), or are smaller than the window of 11
            pixels; or `data_range` is not positive.

    Source: Wang, Bovik, Sheikh and Simoncelli, IEEE Transactions on Image Processing 2004.

    Cost: five blurs, each two small matrix products.
    """
    check_data_range(data_range)
    a, b = (part / data_range for part in comparable(reconstruction, original, images=True))
    window = 2 * _RADIUS + 1
    if min(original.shape[-2:]) < window:
        raise ConfigError(
            f"expected images of at least {window} x {window} pixels for SSIM, but got "
            f"{original.shape[-2]} x {original.shape[-1]}; enlarge them first"
        )
    size = at_once(len(a), tuple(a.shape[1:]), numbers=_NUMBERS)
    parts = zip(a.split(size), b.split(size), strict=True)
    value = torch.cat([_similarity(*part) for part in parts])
    return (value + 1) / 2 if rescale else value


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    mean_a, mean_b = _blur(a), _blur(b)
    variances = _blur(a * a) - mean_a**2 + _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    structure = (2 * covariance + c2) / (variances + c2)
    return (luminance * structure).flatten(1).mean(1)


def _blur(images: Tensor) -> Tensor:
    """Gaussian means of the windows inside the image: (N, C, H, W) to (N, C, H - 10, W - 10)."""
    down, across = (_windows(size, images) for size in images.shape[-2:])
    return down @ images @ across.T


def _windows(size: int, like: Tensor) -> Tensor:
    """The Gaussian window at each place along a side, (size - 10, size): blurs as a product."""
    at = torch.arange(size, device=like.device, dtype=like.dtype)
    offset = at - at[_RADIUS : size - _RADIUS, None]
    weights = torch.exp(-offset.square() / (2 * _SIGMA**2)) * (offset.abs() <= _RADIUS)
    return weights / weights.sum(1, keepdim=True)
