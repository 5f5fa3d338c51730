"""Sequences: synthetic tones, and spoken digits where their files are."""

import io
import os
import wave
from pathlib import Path

import numpy as np
import pytest
import torch

from mixcon.data import load
from mixcon.data.spoken_digits import waveform
from mixcon.errors import ConfigError, DataError
from mixcon.kinds import Kind
from mixcon.models import build


def encoded(samples, rate=8000, channels=1, width=2):
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(samples.astype(f"<i{width}").tobytes())
    return buffer.getvalue()


def test_tones_are_sequences_of_four_pitches():
    data = load("tones", seed=1)
    assert data.train.kind is Kind.SEQUENCE
    assert data.train.shape == (1, 128)
    assert data.train.floats().abs().max() <= 1
    spectrum = torch.fft.rfft(data.test.floats()[:, 0]).abs()
    pitches = spectrum.argmax(1)
    assert [sorted({*pitches[data.test.labels == k].tolist()}) for k in range(4)] == [
        [3], [5], [8], [13]]  # fmt: skip
    assert torch.equal(load("tones", seed=1).train.inputs, data.train.inputs)
    assert not torch.equal(load("tones", seed=2).train.inputs, data.train.inputs)


def test_the_loudest_half_second_is_kept_and_scaled():
    sound = np.zeros(8000)
    time = np.arange(4000) / 8000
    sound[3000:7000] = 5000 * np.sin(2 * np.pi * 200 * time)
    found = waveform(encoded(sound), "here")
    assert found.shape == (1, 1000)
    assert found.abs().max() == pytest.approx(1)
    assert torch.fft.rfft(found[0]).abs().argmax() == 100  # 200 Hz over half a second
    assert found[0, :50].abs().max() > 0.5
    short = waveform(encoded(sound[3000:4000]), "here")
    assert short[0, 300:].abs().max() == 0


@pytest.mark.parametrize(
    "content",
    [b"no wav", encoded(np.zeros(8), channels=2), encoded(np.zeros(8), width=4),
     encoded(np.zeros(0)), encoded(np.zeros(90))[:30]],
)  # fmt: skip
def test_other_sounds_are_refused(content):
    with pytest.raises(DataError, match="row 3: expected"):
        waveform(content, "row 3")


def test_spoken_digits_need_a_folder(monkeypatch, tmp_path):
    with pytest.raises(DataError, match="expected a folder"):
        load("spoken_digits", data_dir=tmp_path)
    monkeypatch.delenv("MIXCON_DATA", raising=False)
    with pytest.raises(DataError, match="--data-dir"):
        load("spoken_digits")


@pytest.mark.skipif(
    not (Path(os.environ.get("MIXCON_DATA", "/nowhere")) / "spoken_digits").is_dir(),
    reason="needs spoken digits in MIXCON_DATA",
)
def test_spoken_digits():
    data = load("spoken_digits")
    assert (len(data.train), len(data.test), data.train.shape) == (2700, 300, (1, 1000))
    assert data.test.labels.bincount().tolist() == [30] * 10
    peaks = data.train.floats().abs().amax((1, 2))
    assert peaks.allclose(torch.ones_like(peaks))


def test_a_network_for_sounds():
    model = build("audio", (2, 128), 4)
    assert model.release(torch.zeros(3, 2, 128)).shape == (3, 16, 8)
    assert model(torch.zeros(3, 2, 128)).shape == (3, 4)
    for shape in ((1, 28, 28), (1, 16), (10,)):
        with pytest.raises(ConfigError, match="sequences of shape"):
            build("audio", shape, 4)
