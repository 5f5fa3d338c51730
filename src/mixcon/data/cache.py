"""Decoded images, kept from one run to the next."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from torch import Tensor

from mixcon._cache import kept

__all__ = ["cached"]

_FORMAT = 2  # raise when what is cached changes its meaning


def cached(
    files: Sequence[Path], build: Callable[[], dict[str, Tensor]], *settings: object
) -> dict[str, Tensor]:
    """What `build` made of these files last time, or now.

    The copy in the user's cache is used as long as the files keep their order, paths, sizes and
    times of change.

    Args:
        files: all that `build` reads; they are there.
        build: makes the tensors.
        settings: what else decides them, as JSON can hold it.
    """
    return kept(_key(files, settings), build)


def _key(files: Sequence[Path], settings: Sequence[object]) -> str:
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(json.dumps([_FORMAT, settings, stats]).encode()).hexdigest()[:32]
