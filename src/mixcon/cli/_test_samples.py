"""Test samples that `mixcon infer` sends in place of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from mixcon.data import LabeledSet, load
from mixcon.training import RunFolder

__all__ = ["labeled", "test_set"]


def test_set(
    data: str | None, run: Path | None, data_dir: Path | None, resize: int | None
) -> LabeledSet:
    """The test samples of a data set, or those of a run, which its own seed may have drawn."""
    if run:
        return RunFolder(run).config.load_data(data_dir).test
    return load(data or "", data_dir=data_dir, resize=resize).test


def labeled(
    test: LabeledSet, victims: int | None, seed: int
) -> list[tuple[str, NDArray[Any], str]]:
    """Test samples with their labels; the same `victims` as an audit with this seed attacks."""
    order = torch.arange(len(test))
    if victims is not None:
        order = test.shuffled(torch.Generator().manual_seed(seed))[:victims]
    chosen = test.take(order)
    labels = [chosen.classes[label] for label in chosen.labels.tolist()]
    names = [f"{test.name}/test/{position}" for position in order.tolist()]
    return list(zip(names, chosen.inputs.numpy(), labels, strict=True))
