"""Synthetic sounds: tones of four pitches, for a first look at sequences without any data."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.data.labeled import LabeledSet, Splits

__all__ = ["tones"]

_LENGTH = 128
_CYCLES = torch.tensor([3.0, 5.0, 8.0, 13.0])
_CLASSES = ("low", "middle", "high", "shrill")


def tones(seed: int = 0) -> Splits:
    """Tones of 128 samples, (1, 128) in about [-1, 1]; 800 for training and 200 for testing.

    Pitch is the class. Phase, volume and a second, random overtone are what an attacker may find
    out besides.

    Args:
        seed: draws them.
    """
    generator = torch.Generator().manual_seed(seed)
    return Splits(*(_draw(count, generator) for count in (800, 200)))


def _draw(count: int, generator: torch.Generator) -> LabeledSet:
    labels = torch.arange(count) % len(_CYCLES)
    time = torch.arange(_LENGTH) / _LENGTH

    def wave(cycles: Tensor, volume: Tensor) -> Tensor:
        phase = torch.rand(count, 1, generator=generator)
        return volume * (2 * math.pi * (cycles[:, None] * time + phase)).sin()

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, generator=generator)

    overtones = torch.randint(16, 24, (count,), generator=generator)
    sounds = wave(_CYCLES[labels], uniform(0.4, 0.7)) + wave(overtones, uniform(0.1, 0.3))
    return LabeledSet("tones", sounds.unsqueeze(1), labels, _CLASSES)
