"""A folder of labeled images: one subfolder a class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import torch

from mixcon.data._checks import first_of
from mixcon.data.cache import cached
from mixcon.data.decode import Pixels, decode, stack
from mixcon.data.files import read
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.data.layout import read_layout
from mixcon.data.names import FOLDER, title
from mixcon.errors import DataError

__all__ = ["folder"]

_CURE = "bring them to one size with --resize, for example --resize 32"
_NAMED = 10  # pictures that cannot be read, at most


def folder(root: Path, resize: int | None = None) -> Splits:
    """Images in ``ROOT/train/CLASS/`` and ``ROOT/test/CLASS/``, or all in ``ROOT/CLASS/``.

    In the second form a fifth of each class, by a hash of the path, is for testing. ``val/`` stands
    in for a ``test/`` that is missing or has no classes. Images may lie in subfolders of their
    class. What is left out is counted in a note of the logger ``mixcon.data``.

    Args:
        root: the folder.
        resize: width and height to bring every image to; without it they must be of one size.

    Raises:
        DataError: no folder, one part alone, fewer than two classes, a class without images or in
            one part only, an image that does not decode or differs in size.
    """
    layout = read_layout(root)
    files = [*chain(*layout.train), *chain(*layout.test)]
    size = None if resize is None else (resize, resize)

    def build() -> dict[str, torch.Tensor]:
        found: list[Path] = []
        pictures = _decoded(files, size, found)
        return {"images": torch.from_numpy(stack(pictures, lambda i: str(found[i]), _CURE))}

    images = cached(files, build, resize)["images"]
    labels = torch.tensor([*_labels(layout.train), *_labels(layout.test)])
    whole = LabeledSet(title(f"{FOLDER}{root}", resize), images, labels, layout.classes)
    count = sum(map(len, layout.train))
    return Splits(whole.take(slice(count)), whole.take(slice(count, None)))


def _decoded(
    files: Sequence[Path], size: tuple[int, int] | None, found: list[Path]
) -> Iterator[Pixels]:
    """The pictures of files, which `found` gets; once all are read, those that cannot be are named.

    Decoding many takes minutes, so that nobody should meet the damaged ones one by one.
    """
    broken: dict[Path, DataError] = {}
    for file in files:
        try:
            pixels = decode(read(file), str(file), size=size)
        except DataError as error:
            broken[file] = error
            continue
        found.append(file)
        yield pixels
    if len(broken) == 1:
        raise broken.popitem()[1]
    if broken:
        first, *others = broken
        named = first_of(others, _NAMED)
        raise DataError(f"{broken[first]}; {len(others)} more cannot be read: {named}")


def _labels(classes: list[list[Path]]) -> list[int]:
    return [label for label, files in enumerate(classes) for _ in files]
