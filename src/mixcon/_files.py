"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

__all__ = ["check_writable", "is_full_disk", "is_leftover", "write_whole"]


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write beside the target and move into place: a kill leaves the old file or the new one.

    Raises:
        OSError: it could not be written; its `filename` is the target.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, content)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    return path


def _write(path: Path, content: bytes | str) -> None:
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


def check_writable(folder: Path) -> None:
    """Look before long work whether a folder can be made, or written to; nothing is changed.

    Raises:
        OSError: it cannot.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))


def is_full_disk(error: OSError) -> bool:
    """Whether there is no room for a file, on the disk or within a quota or a limit."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def is_leftover(path: Path) -> bool:
    """Whether `write_whole` was killed while it wrote this: nobody will ever want it."""
    return path.name.startswith(".") and path.name.endswith(".tmp")
