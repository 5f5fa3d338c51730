"""What took long and depends on its input alone, made once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mixcon._clock import time_limit
from mixcon._files import write_whole
from mixcon._places import cache_folder

__all__ = ["digest", "kept", "raw_bytes"]

Tensors = dict[str, Tensor]


def kept(key: str, make: Callable[[], Tensors]) -> Tensors:
    """What `make` made under this key last time, or makes now.

    It lies in ``MIXCON_CACHE`` (default: ``mixcon`` in ``XDG_CACHE_HOME`` or ``~/.cache``). What
    is damaged there is made again; where nothing can be written, nothing is kept. Nor is what was
    stopped before its last step, for want of time.

    Args:
        key: names all that the tensors depend on; see `digest`.
        make: makes them.
    """
    path = cache_folder() / f"{key}.safetensors"
    found = _read(path)
    if found is None:
        with time_limit(math.inf) as limit:
            found = make()
        if not limit.cut:
            _write(path, found)
    return found


def digest(*parts: Tensor | str | float | None) -> str:
    """SHA-256 of tensors (their type, shape and numbers) and of plain values, in 32 digits."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            sha.update(f"{part.dtype}{tuple(part.shape)}".encode())
            sha.update(raw_bytes(part))
        else:
            sha.update(f"{part!r};".encode())
    return sha.hexdigest()[:32]


def raw_bytes(tensor: Tensor) -> memoryview:
    """The bytes of its numbers, of any type."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().data


def _seal(tensors: Tensors) -> str:
    """Tells what was written from what a disk or a neighbor made of it."""
    return digest(*(part for name in sorted(tensors) for part in (name, tensors[name])))


def _read(path: Path) -> Tensors | None:
    try:
        with safe_open(path, "pt") as file:
            seal = (file.metadata() or {}).get("seal")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return None
    return tensors if _seal(tensors) == seal else None


def _write(path: Path, tensors: Tensors) -> None:
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        write_whole(path, save(whole, {"seal": _seal(whole)}))
    except OSError as error:
        _tell(f"nothing is kept in the cache {path.parent}: {error.strerror}; set MIXCON_CACHE")


@cache
def _tell(message: str) -> None:
    """Once is enough."""
    logging.getLogger("mixcon").warning(message)
