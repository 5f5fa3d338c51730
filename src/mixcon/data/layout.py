"""Which subfolders of a folder of images are its parts, and which its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mixcon.data.files import ENDINGS, Found, images_below, is_hidden, listed, reason
from mixcon.data.notes import note
from mixcon.errors import DataError

__all__ = ["Layout", "read_layout"]

_ROLES = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip
_HELD_OUT = 5  # of a folder without parts, one image in so many


@dataclass(frozen=True)
class Layout:
    """The images of a folder.

    Attributes:
        classes: names, in alphabetical order.
        train: for training, class by class.
        test: for testing, class by class.
    """

    classes: tuple[str, ...]
    train: list[list[Path]]
    test: list[list[Path]]


def read_layout(root: Path) -> Layout:
    """Find parts, classes and images; see `mixcon.data.folder.folder`.

    Raises:
        DataError: no folder, one part alone, fewer than two classes, a class without images or in
            one part only.
    """
    if not root.is_dir():
        raise DataError(
            f"{root}: expected a folder of images, but there is none; check the path (a run keeps "
            "that of its data in config.toml)"
        )
    parts = _parts(root)
    if parts is None:
        classes = _classes(root)
        found = [_images(folder) for folder in classes]
        held = set().union(*map(_held_out, classes, found))
        train = [[f for f in files if f not in held] for files in found]
        test = [[f for f in files if f in held] for files in found]
    else:
        classes, others = (_classes(part) for part in parts)
        _check_alike(*parts, {c.name for c in classes}, {c.name for c in others})
        train, test = ([_images(folder) for folder in both] for both in (classes, others))
    return Layout(tuple(folder.name for folder in classes), train, test)


def _held_out(folder: Path, files: list[Path]) -> set[Path]:
    """A fifth of a class, by the hash of the path: names may have a pattern of their own."""

    def drawn(file: Path) -> bytes:
        return sha256(file.relative_to(folder).as_posix().encode()).digest()

    return set(sorted(files, key=drawn)[::_HELD_OUT])


def _parts(root: Path) -> tuple[Path, Path] | None:
    """The folders for training and testing, or None if the subfolders are classes."""
    folders = _subfolders(root)
    roles = {_ROLES[f.name.lower()]: f for f in folders if f.name.lower() in _ROLES}
    # An archive's test part often lies there without labels: then its validation part has them.
    tests = [roles[r] for r in ("test", "val") if r in roles and _subfolders(roles[r])]
    if "train" in roles and tests:
        chosen = (roles["train"], tests[0])
        _count_rest(root, chosen)
        return chosen
    if roles and len(roles) == len(folders):
        raise DataError(
            f"{root}: expected train/ and test/ (or val/), with a subfolder for each class, but "
            f"got {', '.join(f'{f.name}/' for f in folders)}; add what is missing, or name a "
            f"folder of classes, such as {folders[0]}, a fifth of which is for testing"
        )
    return None


def _count_rest(folder: Path, taken: Sequence[Path]) -> None:
    """Say what lies beside the folders that are read."""
    rest = Found()
    for entry in listed(folder):
        why = None if entry in taken else reason(entry)
        if why:
            rest.left_out[why] += 1
        elif entry not in taken and entry.is_dir():
            rest.left_out[f"images in {entry.name}/"] += len(images_below(entry).files)
        elif entry not in taken:
            rest.left_out["images beside the folders"] += 1
    if rest.summary:
        note(f"{folder}: left out {rest.summary}")


def _classes(part: Path) -> list[Path]:
    folders = _subfolders(part)
    if len(folders) < 2:
        raise DataError(
            f"{part}: expected a subfolder for each of two or more classes, but got "
            f"{len(folders)}; if the classes lie deeper, name the folder that holds them"
        )
    _count_rest(part, folders)
    return folders


def _subfolders(folder: Path) -> list[Path]:
    return [entry for entry in listed(folder) if entry.is_dir() and not is_hidden(entry)]


def _images(folder: Path) -> list[Path]:
    found = images_below(folder)
    if not found.files:
        there = f"only {found.summary}" if found.summary else "none"
        raise DataError(
            f"{folder}: expected images ({', '.join(sorted(ENDINGS))}) of this class, but got "
            f"{there}; convert them, or take the folder out"
        )
    if found.summary:
        note(f"{folder}: left out {found.summary}")
    return found.files


def _check_alike(train: Path, test: Path, ours: set[str], theirs: set[str]) -> None:
    odd = [f"{name} in {train.name}/ alone" for name in sorted(ours - theirs)]
    odd += [f"{name} in {test.name}/ alone" for name in sorted(theirs - ours)]
    if odd:
        raise DataError(
            f"{train.parent}: expected the same classes in {train.name}/ and {test.name}/, but got "
            f"{', '.join(odd)}; rename or add their folders, or take them out"
        )
