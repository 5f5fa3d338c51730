"""An epoch of LeNet-5 on MNIST: batches sliced out of one tensor, or from a DataLoader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from benchmarks._timing import alternate, table
from mixcon import load_data
from mixcon.data import LabeledSet
from mixcon.models import build

Batches = Callable[[], Iterable[tuple[Tensor, Tensor]]]


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """The usual map-style data set: one decoded image at a time."""

    def __init__(self, labeled: LabeledSet) -> None:
        self.labeled = labeled

    def __len__(self) -> int:
        return len(self.labeled)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.labeled.inputs[index].float() / 255, self.labeled.labels[index]


def epoch(batches: Batches) -> Callable[[], None]:
    model = build("lenet5", (1, 28, 28), 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def call() -> None:
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    return call


def run() -> Iterator[str]:
    train = load_data("mnist").train
    samples = Samples(train)
    sides: dict[str, Batches] = {
        "mixcon": lambda: train.batches(64, torch.randperm(len(train))),
        "DataLoader, in the same process": DataLoader(samples, 64, shuffle=True),
        "DataLoader, 2 workers": DataLoader(samples, 64, shuffle=True, num_workers=2),
    }
    sides = {n: (b if callable(b) else b.__iter__) for n, b in sides.items()}
    yield f"{len(train):,} images"
    yield from table(alternate({n: epoch(b) for n, b in sides.items()}, rounds=2), "mixcon")
