"""A folder of labeled images: one subfolder a class."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import torch

from mixcon.data.decode import decode, stack
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.errors import DataError

__all__ = ["folder"]

_ENDINGS = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}


def folder(root: Path) -> Splits:
    """Images in ``ROOT/train/CLASS/`` and ``ROOT/test/CLASS/``, or all in ``ROOT/CLASS/``.

    In the second form every fifth image of a class, by file name, is for testing.

    Raises:
        DataError: no folder, no class, a class without images, an image that does not decode or
            differs in size.
    """
    if not root.is_dir():
        raise DataError(f"{root}: expected a folder of images, but there is none")
    if (root / "train").is_dir() and (root / "test").is_dir():
        classes = _classes(root / "train")
        train, test = (list(chain(*_files(root / part, classes))) for part in ("train", "test"))
    else:
        classes = _classes(root)
        found = _files(root, classes)
        train = [file for files in found for i, file in enumerate(files) if i % 5]
        test = [file for files in found for file in files[::5]]
    return _load(root, train, test, classes)


def _classes(root: Path) -> tuple[str, ...]:
    names = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    if len(names) < 2:
        raise DataError(
            f"{root}: expected a subfolder for each of two or more classes, but got {len(names)}"
        )
    return tuple(names)


def _files(root: Path, classes: tuple[str, ...]) -> list[list[Path]]:
    found = []
    for name in classes:
        entries = sorted((root / name).iterdir()) if (root / name).is_dir() else []
        files = [file for file in entries if file.suffix.lower() in _ENDINGS]
        if not files:
            raise DataError(
                f"{root / name}: expected images ({', '.join(sorted(_ENDINGS))}) of this class, "
                "but got none"
            )
        found.append(files)
    return found


def _load(root: Path, train: list[Path], test: list[Path], classes: tuple[str, ...]) -> Splits:
    files = train + test
    images = stack([decode(f.read_bytes(), str(f)) for f in files], lambda i: str(files[i]))
    labels = torch.tensor([classes.index(file.parent.name) for file in files])
    whole = LabeledSet(f"folder:{root}", images, labels, classes)
    return Splits(whole.take(slice(len(train))), whole.take(slice(len(train), None)))
