"""Decoded images, kept from one run to the next."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from mixcon._files import write_whole
from mixcon.data.notes import note

__all__ = ["cached"]

_FORMAT = 2  # raise when what is cached changes its meaning


def cached(
    files: Sequence[Path], build: Callable[[], dict[str, Tensor]], *settings: object
) -> dict[str, Tensor]:
    """What `build` made of these files last time, or now; a damaged copy is made again.

    The copy lies in ``MIXCON_CACHE`` (default ``~/.cache/mixcon``) and is used as long as the
    files keep their order, paths, sizes and times of change. Where it cannot be written, the work
    is done anew each time.

    Args:
        files: all that `build` reads; they are there.
        build: makes the tensors.
        settings: what else decides them, as JSON can hold it.
    """
    path = _folder() / f"{_key(files, settings)}.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError):
        tensors = build()
    try:
        write_whole(path, save(tensors))
    except OSError as error:
        note(f"{path.parent}: decoded images are not kept ({error.strerror}); set MIXCON_CACHE")
    return tensors


def _folder() -> Path:
    return Path(os.environ.get("MIXCON_CACHE") or Path.home() / ".cache" / "mixcon")


def _key(files: Sequence[Path], settings: Sequence[object]) -> str:
    stats = [(str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(json.dumps([_FORMAT, settings, stats]).encode()).hexdigest()[:32]
