"""The images below a folder, and the count of what else lies there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mixcon.errors import DataError

__all__ = ["ENDINGS", "Found", "images_below", "is_hidden", "listed", "read", "reason"]

ENDINGS = frozenset(
    (
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".gif", ".tif", ".tiff"),
        *(".pgm", ".ppm", ".pbm", ".pnm"),
    )
)
_LITTER = {"thumbs.db", "desktop.ini", "__macosx", "__pycache__", "@eadir", "$recycle.bin"}


class Found:
    """Images in the order of their paths, and how many entries of each other kind there are.

    Attributes:
        files: the images.
        left_out: how many of what was left out.
    """

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.left_out: Counter[str] = Counter()

    @property
    def summary(self) -> str:
        """What was left out, in words; empty if nothing was."""
        return ", ".join(f"{n:,} {what}" for what, n in self.left_out.most_common())


def images_below(folder: Path) -> Found:
    """All images of a folder and its subfolders, by name.

    Left out and counted: files of other endings, hidden ones and what systems leave behind, links
    to folders, links to nothing.

    Raises:
        DataError: a folder cannot be read.
    """
    found = Found()
    _collect(folder, found)
    return found


def is_hidden(path: Path) -> bool:
    """Whether it is none of the user's files: hidden, or left behind by a system."""
    return path.name.startswith(".") or path.name.lower() in _LITTER


def listed(folder: Path) -> list[Path]:
    """The entries of a folder, by name.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"{folder}: expected a folder to read, but got: {error.strerror}; check the path and "
            "its permissions"
        ) from error


def read(file: Path) -> bytes:
    """The content of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise DataError(
            f"{file}: expected a file to read, but got: {error.strerror}; check the path and its "
            "permissions"
        ) from error


def _collect(folder: Path, found: Found) -> None:
    for entry in listed(folder):
        why = reason(entry)
        if why:
            found.left_out[why] += 1
        elif entry.is_dir():
            _collect(entry, found)
        else:
            found.files.append(entry)


def reason(entry: Path) -> str | None:
    """Why an entry is left out, as a count of it reads; None if it is not."""
    if is_hidden(entry):
        return "hidden"
    if entry.is_dir():
        return "linked folder" if entry.is_symlink() else None
    if not entry.is_file():
        return "broken link or no file"
    if entry.suffix.lower() not in ENDINGS:
        return entry.suffix.lower() or "without an ending"
    return None
