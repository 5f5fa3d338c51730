"""Spoken digits as sequences, from local Parquet files of wav sounds."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mixcon.data.cache import cached
from mixcon.data.labeled import Attribute, LabeledSet, Splits
from mixcon.data.parquet import labels, local_folder, parquet_files, read_parquet
from mixcon.errors import DataError

__all__ = ["spoken_digits", "waveform"]

RATE = 2000
"""Samples a second: speech can still be understood, and half a second has 1,000 numbers."""

_LENGTH = RATE // 2
_NAME = "spoken_digits"
_CLASSES = tuple(str(digit) for digit in range(10))


def spoken_digits(data_dir: Path | None = None) -> Splits:
    """The Free Spoken Digit Dataset: half a second at 2 kHz each, (1, 1000) in [-1, 1].

    Args:
        data_dir: holds ``spoken_digits/train-*.parquet`` and ``test-*.parquet`` with the columns
            ``audio`` (bytes of a mono wav file of 16 bits), ``label`` and, as an attribute, who
            speaks: ``speaker``; default ``MIXCON_DATA``.

    Raises:
        DataError: no such folder, or a file or column is missing or damaged.

    Source: Jackson, Free Spoken Digit Dataset, CC BY-SA 4.0.
    """
    folder = local_folder(data_dir)
    if folder is None:
        raise DataError(
            f"{_NAME}: expected a folder of Parquet files; give one with --data-dir or MIXCON_DATA"
        )
    found = [_part(folder, part) for part in ("train", "test")]
    names = tuple(sorted({name for part in found for name in _speakers(part)}))
    return Splits(*(_labeled(part, names) for part in found))


def _part(folder: Path, part: str) -> dict[str, Tensor]:
    files = parquet_files(folder, _NAME, part)
    return cached(files, lambda: _tensors(read_parquet(files), str(files[0])), RATE, "speaker")


def _labeled(part: dict[str, Tensor], names: tuple[str, ...]) -> LabeledSet:
    own = torch.tensor([names.index(name) for name in _speakers(part)])
    speaker = Attribute(own[part["speakers"]], names)
    return LabeledSet(
        _NAME, part["sounds"], part["labels"], _CLASSES, attributes={"speaker": speaker}
    )


def _speakers(part: dict[str, Tensor]) -> list[str]:
    """Names of a part's speakers, kept as bytes, since only tensors are."""
    return bytes(part["names"].tolist()).decode().split("\n")


def _tensors(rows: Any, where: str) -> dict[str, Tensor]:
    missing = {"audio", "label", "speaker"} - set(rows.column_names)
    if missing:
        raise DataError(
            f"{where}: expected columns audio, label and speaker, but got "
            f"{', '.join(rows.column_names)}"
        )
    speakers = [str(name) for name in rows["speaker"]]
    names = sorted(set(speakers))
    sounds = [waveform(cell["bytes"], f"{where}, row {i}") for i, cell in enumerate(rows["audio"])]
    return {
        "sounds": torch.stack(sounds),
        "labels": labels(rows["label"][:], where),
        "speakers": torch.tensor([names.index(name) for name in speakers]),
        "names": torch.tensor(list("\n".join(names).encode()), dtype=torch.uint8),
    }


def waveform(content: bytes, where: str) -> Tensor:
    """The loudest half second of a mono wav file, (1, 1000), at 2 kHz, its peak at 1.

    Args:
        content: the file, of 16 bits a sample.
        where: what errors call it.

    Raises:
        DataError: something else, or damaged.
    """
    from scipy.signal import resample_poly  # noqa: PLC0415  slow to import

    try:
        with wave.open(io.BytesIO(content)) as file:
            form, rate = (file.getnchannels(), file.getsampwidth()), file.getframerate()
            pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError, ValueError) as error:
        raise DataError(f"{where}: expected a wav file, but got: {error}") from error
    if form != (1, 2) or not len(pcm):
        raise DataError(
            f"{where}: expected mono sound of 16 bits, but got {form[0]} channels of "
            f"{8 * form[1]} bits and {len(pcm)} samples"
        )
    sound = resample_poly(pcm / 2**15, RATE, rate)
    return torch.from_numpy(_loudest(sound)).float().unsqueeze(0)


def _loudest(sound: Any) -> Any:
    """The stretch of the right length with the most energy, padded with silence."""
    padded = np.pad(sound, (0, max(0, _LENGTH - len(sound))))
    energy = np.concatenate([[0.0], np.cumsum(padded**2)])
    start = int((energy[_LENGTH:] - energy[:-_LENGTH]).argmax())
    stretch = padded[start : start + _LENGTH]
    return stretch / max(np.abs(stretch).max(), 1e-6)
