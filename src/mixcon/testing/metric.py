"""What every metric that compares reconstructions with originals keeps to."""

from __future__ import annotations

import torch

from mixcon.metrics import Pairwise
from mixcon.testing._expect import expect

__all__ = ["check_metric"]


def check_metric(metric: Pairwise, shape: tuple[int, ...] = (1, 16, 16)) -> None:
    """Check a metric, and what it says of how its values read.

    It must give one number a sample, whatever the others in the batch; `perfect` for a copy, and
    nothing that leaks more; and stay within its `limits`.

    Args:
        metric: the metric.
        shape: shape of one sample; images have values in [0, 1].

    Raises:
        AssertionError: one of these does not hold.

    Example:
        >>> from mixcon.metrics import METRICS
        >>> check_metric(METRICS["ssim"])
    """
    generator = torch.Generator().manual_seed(0)
    found, original = torch.rand(2, 5, *shape, generator=generator)
    values, copies = metric.function(found, original), metric.function(original, original)
    expect(
        values.shape == (5,),
        f"expected one number for each of 5 samples, but got shape {tuple(values.shape)}",
    )
    alone = metric.function(found[2:3], original[2:3])
    expect(
        torch.allclose(alone, values[2:3], rtol=1e-4, atol=1e-6),
        "expected each sample to be measured for itself, but it depends on the others",
    )
    perfect = torch.full_like(copies, metric.perfect)
    expect(
        torch.allclose(copies, perfect, atol=1e-4),
        f"expected {metric.perfect} for a copy, as `perfect` says, but got {copies.tolist()}",
    )
    for value, copy in zip(values.tolist(), copies.tolist(), strict=True):
        low, high = metric.limits
        expect(low <= value <= high, f"expected values in {metric.limits}, but got {value}")
        expect(
            value != copy and metric.closest([value, copy]) == copy,
            f"expected a copy to leak more than noise, but `higher_leaks` is {metric.higher_leaks} "
            f"and the values are {copy} and {value}",
        )
    expect(metric.text(0.5) in metric.in_words(0.5), "expected `phrase` to say the number")
