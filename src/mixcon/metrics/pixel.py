"""Errors of single pixels or numbers."""

from __future__ import annotations

from torch import Tensor

__all__ = ["mse", "psnr"]


def mse(reconstruction: Tensor, original: Tensor) -> Tensor:
    """Mean squared error of each sample: (N, ...) twice to (N,); 0 for identical ones."""
    return (reconstruction - original).square().flatten(1).mean(1)


def psnr(reconstruction: Tensor, original: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio of each sample in dB: (N, ...) twice to (N,).

    Infinite for identical samples. `data_range` is the largest value minus the smallest possible.
    """
    return 10 * (data_range**2 / mse(reconstruction, original)).log10()
