"""Images as the device's input: from files, folders and standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from mixcon.data.decode import Pixels, decode, is_image
from mixcon.data.files import ENDINGS, images_below, read
from mixcon.data.notes import note
from mixcon.errors import DataError
from mixcon.serving.contract import Contract

__all__ = ["find", "prepare"]

_STANDARD_INPUT = "-"


def find(sources: Iterable[str]) -> list[tuple[str, bytes | Path]]:
    """Name and content, or path, of each image.

    Args:
        sources: files; folders, of which all images are taken, by name; or ``-`` for standard
            input: one encoded image, or a list of files and folders, one a line, in UTF-8.

    Raises:
        DataError: something is not there, or a folder has no image.
    """
    return [image for source in sources for image in _one(source)]


def _one(source: str) -> Iterator[tuple[str, bytes | Path]]:
    if source == _STANDARD_INPUT:
        yield from _standard_input(sys.stdin.buffer.read())
    else:
        yield from _path(source)


def _path(source: str, of: str = "") -> Iterator[tuple[str, bytes | Path]]:
    path = Path(source)
    if path.is_dir():
        yield from ((str(file), file) for file in _below(path))
    elif path.exists():
        yield source, path
    else:
        raise DataError(f"{of}{path}: expected an image or a folder of images, but there is none")


def _below(folder: Path) -> list[Path]:
    found = images_below(folder)
    if not found.files:
        there = f"only {found.summary}" if found.summary else "none"
        raise DataError(
            f"{folder}: expected images ({', '.join(sorted(ENDINGS))}), but got {there}"
        )
    if found.summary:
        note(f"{folder}: left out {found.summary}")
    return found.files


def _standard_input(content: bytes) -> Iterator[tuple[str, bytes | Path]]:
    if not content.strip():
        raise DataError("standard input: expected an image, or a list of files, but got nothing")
    lines = None if is_image(content) else _lines(content)
    if lines is None:
        yield "<stdin>", content
        return
    for number, line in enumerate(lines, start=1):
        if line:
            yield from _path(line, f"line {number} of standard input: ")


def _lines(content: bytes) -> list[str] | None:
    """The lines of a text, or None if it is none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else [line.rstrip("\r") for line in text.split("\n")]


def prepare(name: str, image: bytes | Path, contract: Contract, *, resize: bool = False) -> Pixels:
    """One image as uint8 (C, H, W), gray or color as the contract says.

    Args:
        name: what errors call it.
        image: the encoded image, or its file.
        contract: says which shape the encoder takes, and whether to resize others to it.
        resize: bring other sizes to that of the encoder even if the contract does not say so.

    Raises:
        DataError: no image, damaged, or of another size; the contract is not for images.
    """
    mode = contract.preprocessing.mode
    if mode is None:
        raise DataError(
            "expected an encoder of images, but this one takes "
            f"{contract.preprocessing.kind.plural}; use --data, or mixcon.serving.EdgeClient from "
            "Python"
        )
    _, height, width = contract.input.shape
    size = (width, height) if resize or contract.preprocessing.resize else None
    content = read(image) if isinstance(image, Path) else image
    pixels = decode(content, name, size=size, mode=mode)
    if pixels.shape[1:] != (height, width):
        raise DataError(
            f"{name}: expected {width} x {height} pixels, but got {pixels.shape[2]} x "
            f"{pixels.shape[1]}; crop it, or pass --resize"
        )
    return pixels
