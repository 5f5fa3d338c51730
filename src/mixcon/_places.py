"""Folders of the user's own: the cache, which may be deleted, and the state, which may not."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "state_folder"]


def cache_folder() -> Path:
    """``MIXCON_CACHE``, else ``mixcon`` in ``XDG_CACHE_HOME`` or ``~/.cache``."""
    return _folder("MIXCON_CACHE", "XDG_CACHE_HOME", ".cache")


def state_folder() -> Path:
    """``MIXCON_STATE``, else ``mixcon`` in ``XDG_STATE_HOME`` or ``~/.local/state``."""
    return _folder("MIXCON_STATE", "XDG_STATE_HOME", ".local/state")


def _folder(own: str, common: str, default: str) -> Path:
    named = os.environ.get(own)
    if named:
        return Path(named)
    return Path(os.environ.get(common) or Path.home() / default) / "mixcon"
