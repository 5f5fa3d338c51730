"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["is_leftover", "write_whole"]


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write beside the target and move into place: a kill leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def is_leftover(path: Path) -> bool:
    """Whether `write_whole` was killed while it wrote this: nobody will ever want it."""
    return path.name.startswith(".") and path.name.endswith(".tmp")
