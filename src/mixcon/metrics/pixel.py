"""Errors of single pixels or numbers."""

from __future__ import annotations

from torch import Tensor

from mixcon.metrics._samples import check_data_range, comparable

__all__ = ["mse", "psnr"]


def mse(reconstruction: Tensor, original: Tensor) -> Tensor:
    """Mean squared error of each sample: (N, ...) twice to (N,); 0 for identical ones.

        mean (a - b)^2

    Raises:
        ConfigError: the shapes differ, or are no batch of samples.

    Source: Li et al., MixCon, Table 2.

    Cost: one pass.
    """
    a, b = comparable(reconstruction, original)
    return (a - b).square().flatten(1).mean(1)


def psnr(reconstruction: Tensor, original: Tensor, *, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio of each sample in dB: (N, ...) twice to (N,).

    Infinite for identical samples. `data_range` is the largest value minus the smallest possible.

        10 log10( range^2 / mse )

    Raises:
        ConfigError: the shapes differ, are no batch of samples, or `data_range` is not positive.

    Source: Huynh-Thu and Ghanbari, Scope of validity of PSNR in image/video quality assessment,
    Electronics Letters 2008.

    Cost: one pass.
    """
    check_data_range(data_range)
    a, b = comparable(reconstruction, original)
    return -10 * mse(a / data_range, b / data_range).log10()
