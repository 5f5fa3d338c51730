"""The handwritten digits that come with scikit-learn: real, small, and without a download."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from mixcon.data.labeled import LabeledSet, Splits

__all__ = ["digits"]

_CLASSES = tuple(str(digit) for digit in range(10))


def digits() -> Splits:
    """1,797 digits of 8 x 8 pixels, enlarged bilinearly to 28 x 28; a fixed fifth is for testing.

    Every fifth member of a class, in the order of the file, is a test image.
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415  takes as long as torch

    bunch = load_digits()
    images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1) / 16
    images = F.interpolate(images, size=28, mode="bilinear").clamp(0, 1)
    labels = torch.tensor(bunch.target, dtype=torch.int64)
    whole = LabeledSet("digits", (images * 255).round().to(torch.uint8), labels, _CLASSES)
    testing = torch.zeros(len(whole), dtype=torch.bool)
    for label in range(10):
        testing[(labels == label).nonzero().flatten()[::5]] = True
    return Splits(whole.take(~testing), whole.take(testing))
