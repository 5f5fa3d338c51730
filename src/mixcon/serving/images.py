"""Images as the device's input: from files, folders and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mixcon.data.decode import decode
from mixcon.errors import DataError
from mixcon.serving.contract import Contract

__all__ = ["find", "prepare"]

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
_STANDARD_INPUT = "-"


def find(sources: Iterable[str]) -> list[tuple[str, bytes | Path]]:
    """Name and content, or path, of each image.

    Args:
        sources: files; folders, of which all images are taken, by name; or ``-`` for standard
            input: one encoded image, or a list of files, one a line.

    Raises:
        DataError: something is not there, or a folder has no image.
    """
    return [image for source in sources for image in _one(source)]


def _one(source: str) -> Iterator[tuple[str, bytes | Path]]:
    path = Path(source)
    if source == _STANDARD_INPUT:
        yield from _standard_input(sys.stdin.buffer.read())
    elif path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in _ENDINGS)
        if not found:
            raise DataError(
                f"{path}: expected images ({', '.join(sorted(_ENDINGS))}), but got none"
            )
        yield from ((str(file), file) for file in found)
    elif path.is_file():
        yield source, path
    else:
        raise DataError(f"{path}: expected an image or a folder of images, but there is none")


def _standard_input(content: bytes) -> Iterator[tuple[str, bytes | Path]]:
    try:
        lines = content.decode().splitlines()
        listed = all(Path(line).exists() for line in lines)
    except (UnicodeDecodeError, ValueError, OSError):
        listed = False
    if not listed:
        yield "<stdin>", content
        return
    for line in filter(None, lines):
        yield from _one(line)


def prepare(
    name: str, image: bytes | Path, contract: Contract, *, resize: bool = False
) -> NDArray[np.uint8]:
    """One image as uint8 (C, H, W), gray or color as the contract says.

    Args:
        name: what errors call it.
        image: the encoded image, or its file.
        contract: says which shape the encoder takes.
        resize: bring other sizes to that of the encoder.

    Raises:
        DataError: no image, damaged, or of another size; the contract is not for images.
    """
    mode = contract.preprocessing.mode
    if mode is None:
        raise DataError(
            "expected an encoder of images, but this one takes vectors; use "
            "mixcon.serving.EdgeClient from Python"
        )
    _, height, width = contract.input.shape
    picture = decode(image.read_bytes() if isinstance(image, Path) else image, name).convert(mode)
    if picture.size != (width, height):
        if not resize:
            raise DataError(
                f"{name}: expected {width} x {height} pixels, but got {picture.width} x "
                f"{picture.height}; crop it, or pass --resize"
            )
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture)
    return pixels[None] if mode == "L" else np.ascontiguousarray(pixels.transpose(2, 0, 1))
