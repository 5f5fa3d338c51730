"""Encoded images to one uint8 tensor, decoded once and cached."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from mixcon._cache import kept
from mixcon.errors import DataError

__all__ = ["cached", "decode", "stack"]

_FORMAT = 1  # raise when what is cached changes its meaning


def decode(encoded: bytes, where: str) -> Image.Image:
    """One image out of its file's bytes.

    Raises:
        DataError: not an image, or cut off; `where` says which.
    """
    try:
        image = Image.open(io.BytesIO(encoded))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(
            f"{where}: expected an image, but it does not decode ({error}); fetch the file again"
        ) from error
    return image


def stack(images: Sequence[Image.Image], name: Callable[[int], str]) -> Tensor:
    """Images of one size as uint8 (N, C, H, W): one channel if all are grayscale, else three.

    Args:
        images: decoded images.
        name: says which image position i is, for the error.

    Raises:
        DataError: an image has another size than the first.
    """
    size = images[0].size
    for i, image in enumerate(images):
        if image.size != size:
            raise DataError(
                f"{name(i)}: expected {size[0]} x {size[1]} pixels like {name(0)}, but got "
                f"{image.size[0]} x {image.size[1]}; resize the images to one size first"
            )
    mode = "L" if all(image.mode in ("L", "1") for image in images) else "RGB"
    pixels = np.stack([np.asarray(image.convert(mode)) for image in images])
    tensor = torch.from_numpy(pixels)
    return tensor.unsqueeze(1) if mode == "L" else tensor.permute(0, 3, 1, 2).contiguous()


def cached(files: Iterable[Path], build: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What `build` made of these files last time, or now.

    The copy in the user's cache is used as long as the files keep their paths, sizes and times of
    change.
    """
    return kept(_key(files), build)


def _key(files: Iterable[Path]) -> str:
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(files)]
    return hashlib.sha256(json.dumps([_FORMAT, stats]).encode()).hexdigest()[:32]
