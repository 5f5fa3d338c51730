"""Parquet files in the layout of the Hugging Face hub: which there are, and what they hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from mixcon.errors import DataError

__all__ = ["labels", "local_folder", "parquet_files", "quiet", "read_parquet"]

_SHARD = re.compile(r"-(\d+)-of-(\d+).*\.parquet$")


def local_folder(data_dir: Path | None) -> Path | None:
    """The folder of local sets: the one given, else ``MIXCON_DATA``; None without either."""
    return data_dir or (Path(os.environ["MIXCON_DATA"]) if "MIXCON_DATA" in os.environ else None)


def labels(column: list[Any], where: str) -> Tensor:
    """A column of whole numbers as int64, (N,).

    Raises:
        DataError: something else is in it.
    """
    odd = [i for i, label in enumerate(column) if not isinstance(label, int)]
    if odd:
        raise DataError(
            f"{where}, row {odd[0]}: expected a whole number as label, but got {column[odd[0]]!r}; "
            "fetch the file again"
        )
    return torch.tensor(column, dtype=torch.int64)


def parquet_files(data_dir: Path, name: str, part: str) -> list[Path]:
    """All files of one part of a set, in order.

    Raises:
        DataError: a folder is missing, there are none, or not all of them.
    """
    for folder in (data_dir, data_dir / name):
        if not folder.is_dir():
            raise DataError(
                f"{folder}: expected a folder with the Parquet files of {name}, but there is none; "
                "check --data-dir or MIXCON_DATA, or unset both to use the hub"
            )
    files = sorted((data_dir / name).glob(f"{part}-*.parquet"))
    if not files:
        raise DataError(
            f"{data_dir / name}: expected {part}-00000-of-00001.parquet or the like, but got no "
            f"{part}-*.parquet"
        )
    _check_whole(files)
    return files


def _check_whole(files: list[Path]) -> None:
    """Refuse some of the shards that ``NAME-00000-of-00002.parquet`` says there are."""
    shards = [(int(f[1]), int(f[2])) for f in (_SHARD.search(file.name) for file in files) if f]
    totals = {total for _, total in shards}
    if len(totals) > 1 or (shards and len(shards) < len(files)):
        raise DataError(
            f"{files[0].parent}: expected the files of one version of the set, but got "
            f"{', '.join(f.name for f in files)}; take the others out"
        )
    for total in totals:
        missing = sorted(set(range(total)) - {index for index, _ in shards})
        if missing or len(shards) > total:
            raise DataError(
                f"{files[0].parent}: expected {total} files like {files[0].name}, each once, but "
                f"got {len(shards)}, without number {missing}; fetch what is missing"
            )


def read_parquet(files: list[Path]) -> Any:
    """The rows of these files, as `datasets` has them.

    Raises:
        DataError: a file is damaged.
    """
    from datasets import load_dataset  # noqa: PLC0415

    try:
        with quiet(), TemporaryDirectory() as scratch:
            names = [str(file) for file in files]
            return load_dataset(
                "parquet", data_files=names, split="train", cache_dir=scratch, keep_in_memory=True
            )
    except Exception as error:
        raise DataError(
            f"{files[0]}: expected a readable Parquet file, but got {type(error).__name__}; "
            "it may be cut off: fetch it again"
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without the library's own progress bars: decoding is what takes the time."""
    from datasets import disable_progress_bars, enable_progress_bars  # noqa: PLC0415

    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
