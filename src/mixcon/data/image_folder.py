"""A folder of labeled images: one subfolder a class."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import torch

from mixcon.data.cache import cached
from mixcon.data.decode import decode, stack
from mixcon.data.files import read
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.data.layout import read_layout
from mixcon.data.names import FOLDER, title

__all__ = ["folder"]

_CURE = "bring them to one size with --resize, for example --resize 32"


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
        pictures = (decode(read(f), str(f), size=size) for f in files)
        return {"images": torch.from_numpy(stack(pictures, lambda i: str(files[i]), _CURE))}

    images = cached(files, build, resize)["images"]
    labels = torch.tensor([*_labels(layout.train), *_labels(layout.test)])
    whole = LabeledSet(title(f"{FOLDER}{root}", resize), images, labels, layout.classes)
    count = sum(map(len, layout.train))
    return Splits(whole.take(slice(count)), whole.take(slice(count, None)))


def _labels(classes: list[list[Path]]) -> list[int]:
    return [label for label, files in enumerate(classes) for _ in files]
