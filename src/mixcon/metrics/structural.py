"""Structural similarity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixcon._memory import at_once
from mixcon.errors import ConfigError
from mixcon.metrics._samples import check_data_range, comparable

__all__ = ["ssim", "ssim_to_each"]

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


def ssim_to_each(samples: Tensor) -> Callable[[Tensor], Tensor]:
    """The SSIM of images, each with K samples of its own, for who asks again and again.

    What depends on the samples alone is computed once, and what depends on an image once for all of
    its samples: one blur of as many images is left of the five.

    Args:
        samples: (G, K, C, H, W) in [0, 1], at least 11 pixels a side.

    Returns:
        Maps images (G, C, H, W) to (G, K), as `ssim` does pair by pair.
    """
    known = _Moments.of(samples)

    def likeness(images: Tensor) -> Tensor:
        each = images.unsqueeze(1)
        return _combined(_Moments.of(each), known, _blur(each * samples))

    return likeness


@dataclass(frozen=True)
class _Moments:
    """Mean and variance of each window."""

    mean: Tensor
    variance: Tensor

    @classmethod
    def of(cls, images: Tensor) -> _Moments:
        mean = _blur(images)
        return cls(mean, _blur(images * images) - mean**2)


def _similarity(a: Tensor, b: Tensor) -> Tensor:
    return _combined(_Moments.of(a), _Moments.of(b), _blur(a * b))


def _combined(a: _Moments, b: _Moments, product: Tensor) -> Tensor:
    """SSIM from the moments of both and the mean of their product: (..., C, H, W) to (...)."""
    means = a.mean * b.mean
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * means + c1) / (a.mean**2 + b.mean**2 + c1)
    structure = (2 * (product - means) + c2) / (a.variance + b.variance + c2)
    return (luminance * structure).flatten(-3).mean(-1)


def _blur(images: Tensor) -> Tensor:
    """Gaussian means of the windows inside the image: (..., H, W) to (..., H - 10, W - 10)."""
    down, across = (_windows(size, images) for size in images.shape[-2:])
    return down @ images @ across.T


def _windows(size: int, like: Tensor) -> Tensor:
    """The Gaussian window at each place along a side, (size - 10, size): blurs as a product."""
    at = torch.arange(size, device=like.device, dtype=like.dtype)
    offset = at - at[_RADIUS : size - _RADIUS, None]
    weights = torch.exp(-offset.square() / (2 * _SIGMA**2)) * (offset.abs() <= _RADIUS)
    return weights / weights.sum(1, keepdim=True)
