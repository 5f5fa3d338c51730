"""What the device draws at each call, from the operating system's secure source."""

from __future__ import annotations

import math
import os

import numpy as np
from numpy.typing import NDArray

from mixcon.serving.contract import NoiseInput
from mixcon.serving.wire import Floats

__all__ = ["draw"]


def draw(noise: NoiseInput, shape: tuple[int, ...]) -> Floats:
    """Fresh independent numbers for one noise input, float32, in the shape given.

    They are made in double precision out of 53 random bits each: ``normal`` by the method of Box
    and Muller, ``laplace`` as the difference of two exponential variables.
    """
    count = math.prod(shape)
    if noise.distribution == "uniform":
        return _uniform(count).astype(np.float32).reshape(shape)
    first, second = np.split(_uniform(2 * count), 2)
    if noise.distribution == "normal":
        # 1 - u lies in (0, 1], where the logarithm is finite.
        drawn = np.sqrt(-2 * np.log1p(-first)) * np.cos(2 * np.pi * second)
    else:
        drawn = np.log1p(-first) - np.log1p(-second)
    return np.asarray(drawn, np.float32).reshape(shape)


def _uniform(count: int) -> NDArray[np.float64]:
    """Multiples of 2^-53 in [0, 1), each as likely."""
    bits = np.frombuffer(os.urandom(8 * count), np.uint64) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53
