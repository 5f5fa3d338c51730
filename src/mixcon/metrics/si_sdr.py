"""Scale-invariant signal-to-distortion ratio of sounds."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.metrics._samples import comparable, rescaled

__all__ = ["si_sdr"]

_LEAST = -100.0  # dB: nothing in common


def si_sdr(reconstruction: Tensor, original: Tensor) -> Tensor:
    """SI-SDR of each sample in dB, (N, ...) twice to (N,): infinite for a copy at any volume.

    Neither volume nor sign changes it; with c the cosine it is 10 log10(c^2 / (1 - c^2)). A
    reconstruction without anything of the original has -100.

        10 log10( |a s|^2 / |a s - r|^2 ),   a = <r, s> / <s, s>

    Raises:
        ConfigError: the shapes differ, or are no batch of samples.

    Source: Le Roux, Wisdom, Erdogan and Hershey, SDR - half-baked or well done?, ICASSP 2019.

    Cost: two passes.
    """
    parts = comparable(reconstruction, original)
    found, wanted = (rescaled(part.flatten(1)).double() for part in parts)
    power = wanted.square().sum(1, keepdim=True)
    scale = (found * wanted).sum(1, keepdim=True) / torch.where(power > 0, power, 1)
    signal = (scale * wanted).square().sum(1)
    distortion = (scale * wanted - found).square().sum(1)
    ratio = 10 * torch.log10(signal / distortion)
    return torch.where(signal == 0, _LEAST, ratio).clamp_min(_LEAST).to(parts[0].dtype)
