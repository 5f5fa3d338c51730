"""Image sets of the Hugging Face hub, from local Parquet files or from the hub itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from mixcon.data.cache import cached
from mixcon.data.decode import Pixels, decode, stack
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.errors import DataError

__all__ = ["HUB_SETS", "HubSet"]

_SHARD = re.compile(r"-(\d+)-of-(\d+).*\.parquet$")
_DIGITS = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True)
class HubSet:
    """A set on the hub.

    Attributes:
        name: our name, and the folder that holds its Parquet files.
        hub_id: its id on the hub.
        config: its configuration on the hub, where it has several.
        image: name of the image column.
        classes: class names in the order of the labels.
        train_rows: size of its whole training part; a smaller local part is a subset and is
            named so, e.g. ``svhn-10k``, since figures on it do not compare.
    """

    name: str
    hub_id: str
    classes: tuple[str, ...]
    train_rows: int
    image: str = "image"
    config: str | None = None

    def load(self, data_dir: Path | None) -> Splits:
        """Both parts, from `data_dir` (default: ``MIXCON_DATA``) or else from the hub.

        Raises:
            DataError: a folder, file or column is missing, a file is damaged, an image does not
                decode, or the hub cannot be reached.
        """
        local = data_dir or (
            Path(os.environ["MIXCON_DATA"]) if "MIXCON_DATA" in os.environ else None
        )
        parts = [
            self._local(local, part) if local else self._hub(part) for part in ("train", "test")
        ]
        rows = [len(part["labels"]) for part in parts]
        name = (
            self.name
            if rows[0] >= self.train_rows
            else f"{self.name}-{round(sum(rows), -3) // 1000}k"
        )
        train, test = (LabeledSet(name, p["images"], p["labels"], self.classes) for p in parts)
        return Splits(train, test)

    def _local(self, data_dir: Path, part: str) -> dict[str, Tensor]:
        files = _parquet_files(data_dir, self.name, part)
        return cached(files, lambda: self._tensors(_read_parquet(files), str(files[0])))

    def _hub(self, part: str) -> dict[str, Tensor]:
        from datasets import load_dataset  # noqa: PLC0415 - slow to import

        try:
            with _quiet():
                rows = load_dataset(self.hub_id, self.config, split=part)
        except Exception as error:
            raise DataError(
                f"{self.name}: expected to reach '{self.hub_id}' on the Hugging Face hub, but got "
                f"{type(error).__name__}; give a local copy with --data-dir or MIXCON_DATA"
            ) from error
        files = [Path(entry["filename"]) for entry in rows.cache_files]
        return cached(files, lambda: self._tensors(rows, self.hub_id))

    def _tensors(self, rows: Any, where: str) -> dict[str, Tensor]:
        from datasets import Image as ImageColumn  # noqa: PLC0415

        missing = [c for c in (self.image, "label") if c not in rows.column_names]
        if missing:
            raise DataError(
                f"{where}: expected columns {self.image} and label, but got "
                f"{', '.join(rows.column_names)}"
            )
        encoded = rows.cast_column(self.image, ImageColumn(decode=False))[self.image]
        pictures = (_decode(cell, f"{where}, row {i}") for i, cell in enumerate(encoded))
        images = stack(pictures, lambda i: f"{where}, row {i}", "fetch the files of this set again")
        return {"images": images, "labels": _labels(rows["label"][:], where)}


def _decode(cell: dict[str, Any] | None, where: str) -> Pixels:
    if not cell or not cell["bytes"]:
        raise DataError(
            f"{where}: expected an image within the file, but got {cell}; fetch the file again"
        )
    return decode(cell["bytes"], where)


def _labels(column: list[Any], where: str) -> Tensor:
    odd = [i for i, label in enumerate(column) if not isinstance(label, int)]
    if odd:
        raise DataError(
            f"{where}, row {odd[0]}: expected a whole number as label, but got {column[odd[0]]!r}; "
            "fetch the file again"
        )
    return torch.tensor(column, dtype=torch.int64)


def _parquet_files(data_dir: Path, name: str, part: str) -> list[Path]:
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


def _read_parquet(files: list[Path]) -> Any:
    from datasets import load_dataset  # noqa: PLC0415

    try:
        with _quiet(), TemporaryDirectory() as scratch:
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
def _quiet() -> Iterator[None]:
    """Without the library's own progress bars: decoding is what takes the time."""
    from datasets import disable_progress_bars, enable_progress_bars  # noqa: PLC0415

    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


HUB_SETS = {
    entry.name: entry
    for entry in (
        HubSet("mnist", "ylecun/mnist", _DIGITS, 60_000),
        HubSet(
            "fashion_mnist",
            "zalando-datasets/fashion_mnist",
            (
                "T-shirt",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            60_000,
        ),
        HubSet(
            "cifar10",
            "uoft-cs/cifar10",
            (
                "airplane",
                "automobile",
                "bird",
                "cat",
                "deer",
                "dog",
                "frog",
                "horse",
                "ship",
                "truck",
            ),
            50_000,
            image="img",
        ),
        HubSet("svhn", "ufldl-stanford/svhn", _DIGITS, 73_257, config="cropped_digits"),
    )
}
