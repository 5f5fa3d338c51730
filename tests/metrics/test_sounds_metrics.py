"""Metrics of sounds against torchmetrics and transformers."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from mixcon.metrics import cosine, log_mel_distance, si_sdr


@pytest.fixture
def sounds():
    """Noisy copies, better and better."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(1000) / 2000
    original = torch.stack([torch.sin(2 * np.pi * f * time) for f in (90, 200, 440, 700)])
    noise = torch.randn(4, 1000, generator=generator) * torch.tensor([[2.0], [0.5], [0.1], [0.01]])
    return (0.3 * original + noise).unsqueeze(1), original.unsqueeze(1)


def test_si_sdr_equals_torchmetrics(sounds):
    expected = scale_invariant_signal_distortion_ratio(*(part.double() for part in sounds))
    torch.testing.assert_close(si_sdr(*sounds).double(), expected[:, 0], atol=1e-3, rtol=0)


def test_si_sdr_is_a_function_of_the_cosine(sounds):
    found, original = sounds
    squared = cosine(found.double(), original.double()).square()
    expected = 10 * torch.log10(squared / (1 - squared))
    torch.testing.assert_close(si_sdr(found.double(), original.double()), expected)
    torch.testing.assert_close(si_sdr(-5 * found, original), si_sdr(found, original))


def test_silence_has_nothing_of_a_sound(sounds):
    _, original = sounds
    silence = torch.zeros_like(original)
    assert si_sdr(silence, original).tolist() == [-100] * 4
    assert si_sdr(original, silence).tolist() == [-100] * 4
    assert log_mel_distance(silence, silence).tolist() == [0] * 4
    assert log_mel_distance(silence, original).min() > 10


def test_log_mel_equals_transformers(sounds):
    bank = mel_filter_bank(33, 16, 0, 1000, 2000, norm=None, mel_scale="htk")

    def mel(sound):
        return spectrogram(
            sound, window_function(64, "hann"), 64, 16, power=2.0, center=False,
            mel_filters=bank, mel_floor=1e-300,
        )  # fmt: skip

    expected = []
    for found, original in zip(*(part[:, 0].double().numpy() for part in sounds), strict=True):
        a, b = mel(found), mel(original)
        a, b = (10 * np.log10(np.maximum(part, 1e-8 * b.max())) for part in (a, b))
        expected.append(np.abs(a - b).mean())
    np.testing.assert_allclose(log_mel_distance(*sounds).numpy(), expected, rtol=1e-3)


def test_log_mel_hears_no_phase_and_takes_short_sequences(sounds):
    _, original = sounds
    shifted = original.roll(3, -1)
    assert log_mel_distance(shifted, original).max() < log_mel_distance(*sounds)[0]
    short = torch.rand(2, 3, 1), torch.rand(2, 3, 1)
    assert log_mel_distance(*short).isfinite().all()
