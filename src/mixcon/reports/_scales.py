"""Scales: how a leakage metric reads: which way leaks more, and what an exact copy scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["HEADLINES", "Scale", "scale_of"]


@dataclass(frozen=True)
class Scale:
    """How to read one leakage metric.

    Attributes:
        label: its name in tables and on axes.
        perfect: the value of an exact copy; infinity where there is no such bound.
        higher_leaks: whether a larger value means a closer reconstruction.
        phrase: what a layman reads, around the number.
        spec: format of one value.
    """

    label: str
    perfect: float = 1.0
    higher_leaks: bool = True
    phrase: str = "similarity {} of 1"
    spec: str = "z.2f"

    def text(self, value: float) -> str:
        """One value, as tables and pictures show it."""
        return format(value, self.spec)

    def in_words(self, value: float) -> str:
        """One value, as the verdict says it."""
        return self.phrase.format(self.text(value))

    def closest(self, values: list[float]) -> float:
        """The value that leaks most."""
        return max(values) if self.higher_leaks else min(values)


_SCALES = {
    "ssim": Scale("SSIM"),
    "mse": Scale("MSE", 0.0, False, "mean squared error {}, where 0 is an exact copy", "z.3g"),
    "cosine": Scale("Cosine"),
    "psnr": Scale("PSNR (dB)", math.inf, phrase="{} dB", spec="z.1f"),
}

HEADLINES = ("ssim", "mse", "cosine")
"""Metrics that a verdict can rest on, the preferred one first: an exact copy has a finite score."""


def scale_of(metric: str) -> Scale:
    """The scale of a metric; one not listed counts as a similarity in [0, 1]."""
    return _SCALES.get(metric, Scale(metric))
