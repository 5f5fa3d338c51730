"""Names of data sets: absolute where they are kept, short where they are shown."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["FOLDER", "absolute", "title"]

FOLDER = "folder:"


def absolute(name: str) -> str:
    """The name with a folder's whole path, so that it means the same from anywhere."""
    if not name.startswith(FOLDER):
        return name
    path = Path(name.removeprefix(FOLDER)).expanduser()
    return FOLDER + os.path.abspath(path)


def title(name: str, resize: int | None = None) -> str:
    """The name for tables and files: of a folder's path, which may say who trains, the last part.

    Args:
        name: name of a data set.
        resize: the side that its images were resized to; their figures do not compare with others.
    """
    short = FOLDER + Path(absolute(name)).name if name.startswith(FOLDER) else name
    return short if resize is None else f"{short}@{resize}"
