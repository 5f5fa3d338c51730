"""Structural similarity."""

from __future__ import annotations

from typing import cast

from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure

from mixcon.errors import ConfigError

__all__ = ["ssim"]

_WINDOW = 11  # Wang et al. 2004: Gaussian window of 11 x 11, sigma 1.5


def ssim(
    reconstruction: Tensor, original: Tensor, *, data_range: float = 1.0, rescale: bool = False
) -> Tensor:
    """SSIM of each image, (N, C, H, W) twice to (N,): 1 for identical images.

    The form of Wang et al. (IEEE TIP 2004), averaged over channels and over the windows that lie
    inside the image, as scikit-image computes it with Gaussian weights.

    Args:
        reconstruction: images.
        original: images of the same shape.
        data_range: the largest value minus the smallest possible.
        rescale: return (SSIM + 1) / 2, in [0, 1], instead of the raw value in [-1, 1].

    Raises:
        ConfigError: images smaller than the window of 11 pixels.
    """
    if min(original.shape[-2:]) < _WINDOW:
        raise ConfigError(
            f"expected images of at least {_WINDOW} x {_WINDOW} pixels for SSIM, but got "
            f"{original.shape[-2]} x {original.shape[-1]}; enlarge them first"
        )
    raw = structural_similarity_index_measure(
        reconstruction, original, sigma=1.5, reduction="none", data_range=data_range
    )
    value = cast(Tensor, raw).reshape(len(original))
    return (value + 1) / 2 if rescale else value
