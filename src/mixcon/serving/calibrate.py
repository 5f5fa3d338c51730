"""How to code representations in few bits, learned from those of the training set."""

from __future__ import annotations

from typing import Literal

import numpy as np
from torch import nn

from mixcon.serving.wire import Floats, IntegerCode

__all__ = ["integer_codes"]

_SHARES = np.linspace(0.2, 1.0, 41)  # of the range; what lies outside is clamped
_ENOUGH = 500_000  # numbers


def integer_codes(z: Floats, last: nn.Module | None) -> dict[Literal["int8", "int4"], IntegerCode]:
    """A scale for each number of bits.

    Behind a channel that quantizes anyway, its own levels: then nothing is lost. Otherwise the
    range, around zero, with the smallest squared error.

    Args:
        z: representations of training samples, (N, ...).
        last: the channel's last part.
    """
    sample = z.reshape(-1)[:: max(1, z.size // _ENOUGH)]
    return {
        "int8": _channel_code(8, last) or _fitted(8, sample),
        "int4": _channel_code(4, last) or _fitted(4, sample),
    }


def _channel_code(bits: Literal[8, 4], last: nn.Module | None) -> IntegerCode | None:
    levels = getattr(last, "levels", None)
    if levels is None or levels.bits > bits:
        return None
    return IntegerCode(bits=bits, low=levels.low, step=levels.step)


def _fitted(bits: Literal[8, 4], sample: Floats) -> IntegerCode:
    low, high = float(sample.min()), float(sample.max())
    center = min(max(0.0, low), high)
    candidates = [
        _spanning(bits, center + share * (low - center), center + share * (high - center))
        for share in _SHARES
    ]
    return min(candidates, key=lambda scale: _error(scale, sample))


def _spanning(bits: Literal[8, 4], low: float, high: float) -> IntegerCode:
    width = high - low
    return IntegerCode(bits=bits, low=low, step=width / (2**bits - 1) if width > 0 else 1.0)


def _error(scale: IntegerCode, sample: Floats) -> float:
    return float(np.square(scale.numbers(scale.codes(sample)) - sample, dtype=np.float64).mean())
