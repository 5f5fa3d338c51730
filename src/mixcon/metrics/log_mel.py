"""Distance of sounds as an ear has it: between mel spectrograms in dB."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.metrics._samples import comparable

__all__ = ["log_mel_distance"]

_WINDOW, _BANDS = 64, 16  # 32 ms at the default rate
_RANGE = 1e-8  # 80 dB below the loudest band of the original


def log_mel_distance(reconstruction: Tensor, original: Tensor, *, rate: float = 2000.0) -> Tensor:
    """Mean absolute difference of log-mel spectrograms in dB, (N, C, T) twice to (N,).

    A copy has 0. Phase does not count, volume does. Frames of 64 samples under a Hann window, a
    quarter apart, in 16 triangular bands from 0 Hz up; what lies 80 dB below the original's loudest
    band is not told apart from silence.

        mean over frames and bands of  | 10 log10 M(r) - 10 log10 M(s) |

    Args:
        reconstruction: sounds, channels apart.
        original: the same shape.
        rate: samples a second, which decides how the bands lie; 2,000 as `spoken_digits` has.

    Raises:
        ConfigError: the shapes differ, or are no batch of samples.

    Source: Stevens, Volkmann and Newman, JASA 1937 (the scale), in the form of HTK.

    Cost: one Fourier transform of each frame.
    """
    found, wanted = (_mel(part, rate) for part in comparable(reconstruction, original))
    loudest = wanted.flatten(1).amax(1)
    floor = (_RANGE * torch.where(loudest > 0, loudest, 1)).view(-1, *(wanted.ndim - 1) * (1,))
    levels = (10 * torch.log10(part.maximum(floor)) for part in (found, wanted))
    a, b = levels
    return (a - b).abs().flatten(1).mean(1)


def _mel(sounds: Tensor, rate: float) -> Tensor:
    """Power in each band: (N, C, T) to (N, C, frames, bands)."""
    size = min(_WINDOW, sounds.shape[-1])
    window = torch.hann_window(size, dtype=sounds.dtype, device=sounds.device)
    frames: Tensor = sounds.unfold(-1, size, max(1, size // 4))
    power: Tensor = torch.fft.rfft(frames * window).abs().square()
    return power.matmul(_bands(size, rate).to(sounds))


def _bands(size: int, rate: float) -> Tensor:
    """Weights of each frequency in each band, (size // 2 + 1, bands)."""
    frequencies = torch.linspace(0, rate / 2, size // 2 + 1, dtype=torch.float64)
    top = 2595 * torch.log10(1 + torch.tensor(rate / 2 / 700, dtype=torch.float64))
    edges = 700 * (10 ** (torch.linspace(0, top.item(), _BANDS + 2).double() / 2595) - 1)
    rise = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    return rise.minimum(fall).clamp_min(0)
