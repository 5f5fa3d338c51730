"""The folder of an export, which is written whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mixcon.errors import ConfigError

__all__ = ["refuse_foreign", "staged"]

_STAGE = ".partial"
_OURS = {"edge", "cloud", "public-key.pem", _STAGE}


def refuse_foreign(out: Path) -> None:
    """Refuse a folder of other files; an earlier export is taken, and so is a broken-off one.

    Raises:
        ConfigError: `out` is a file, or holds what no export writes.
    """
    if not out.exists() or (out / "edge" / "contract.json").is_file():
        return
    if not out.is_dir() or any(found.name not in _OURS for found in out.iterdir()):
        raise ConfigError(
            f"{out}: expected a new or empty folder, or an earlier export, but got other files; "
            "choose another --out"
        )


@contextmanager
def staged(out: Path) -> Iterator[Path]:
    """A folder to write an export into; its files move to `out` when all went well.

    A full disk, an error or Ctrl-C leave `out` as it was. A kill may leave a ``.partial`` in it,
    or, between two moves, halves that do not match their contract, which nobody takes; the next
    export mends both.

    Raises:
        ConfigError: `out` cannot be written.
    """
    stage, is_new = out / _STAGE, not out.exists()
    try:
        _make_empty(stage)
        yield stage
        _move(stage, out)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # not empty: the export is there
                out.rmdir()


def _make_empty(stage: Path) -> None:
    try:
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(
            f"{stage.parent}: expected a folder that can be written, but got {error.strerror}; "
            "choose another --out"
        ) from error


def _move(stage: Path, out: Path) -> None:
    """Folders first, which may want space, and contracts last, which make a half valid."""
    files = [file.relative_to(stage) for file in stage.rglob("*") if file.is_file()]
    for file in files:
        (out / file).parent.mkdir(parents=True, exist_ok=True)
    for file in sorted(files, key=lambda file: (file.stem == "contract", file)):
        os.replace(stage / file, out / file)
