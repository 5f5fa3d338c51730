"""Image sets, from local Parquet files in the hub's layout or from the Hugging Face hub itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixcon.data.cache import cached
from mixcon.data.decode import Pixels, decode, stack
from mixcon.data.labeled import LabeledSet, Splits
from mixcon.data.parquet import labels, local_folder, parquet_files, quiet, read_parquet
from mixcon.errors import DataError

__all__ = ["HUB_SETS", "HubSet"]

_DIGITS = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True)
class HubSet:
    """A set on the hub, or one that only local files hold.

    Attributes:
        name: our name, and the folder that holds its Parquet files.
        hub_id: its id on the hub; None where no hub has it in this layout.
        config: its configuration on the hub, where it has several.
        image: name of the image column.
        classes: class names in the order of the labels.
        train_rows: size of its whole training part; a smaller local part is a subset and is
            named so, e.g. ``svhn-10k``, since figures on it do not compare.
    """

    name: str
    hub_id: str | None
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
        local = local_folder(data_dir)
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
        files = parquet_files(data_dir, self.name, part)
        return cached(files, lambda: self._tensors(read_parquet(files), str(files[0])))

    def _hub(self, part: str) -> dict[str, Tensor]:
        if self.hub_id is None:
            raise DataError(
                f"{self.name}: expected a folder with {self.name}/{part}-*.parquet, columns "
                f"{self.image} and label; give one with --data-dir or MIXCON_DATA"
            )
        from datasets import load_dataset  # noqa: PLC0415 - slow to import

        try:
            with quiet():
                rows = load_dataset(self.hub_id, self.config, split=part)
        except Exception as error:
            raise DataError(
                f"{self.name}: expected to reach '{self.hub_id}' on the Hugging Face hub, but got "
                f"{type(error).__name__}; give a local copy with --data-dir or MIXCON_DATA"
            ) from error
        files = [Path(entry["filename"]) for entry in rows.cache_files]
        return cached(files, lambda: self._tensors(rows, f"{self.hub_id}"))

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
        images = torch.from_numpy(
            stack(pictures, lambda i: f"{where}, row {i}", "fetch the files of this set again")
        )
        return {"images": images, "labels": labels(rows["label"][:], where)}


def _decode(cell: dict[str, Any] | None, where: str) -> Pixels:
    if not cell or not cell["bytes"]:
        raise DataError(
            f"{where}: expected an image within the file, but got {cell}; fetch the file again"
        )
    return decode(cell["bytes"], where)


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
        # 64 x 64 gray, ten pictures of each; the class is who it is. AT&T Laboratories Cambridge.
        HubSet("olivetti_faces", None, tuple(f"person {n}" for n in range(1, 41)), 320),
        # PneumoniaMNIST of MedMNIST v2, CC BY 4.0: 28 x 28 gray; which patient is not recorded.
        HubSet("pneumonia", None, ("normal", "pneumonia"), 4_708),
    )
}
