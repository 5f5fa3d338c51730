"""A labeled data set held in memory as two tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.data._checks import check_numbers, check_places, check_tokens
from mixcon.errors import DataError
from mixcon.kinds import Kind

__all__ = ["Attribute", "LabeledSet", "Splits"]


@dataclass(frozen=True)
class Attribute:
    """What is known of samples besides their class, such as who speaks.

    Attributes:
        values: int64 positions in `names`, (N,).
        names: what each value is called.
    """

    values: Tensor
    names: tuple[str, ...]


@dataclass(frozen=True)
class LabeledSet:
    """Samples with their classes; their shape says of which kind they are.

    Attributes:
        name: name of the data set.
        inputs: uint8 images (N, C, H, W), float32 vectors (N, d), float32 sequences (N, C, T) or
            texts: int64 positions in the vocabulary, (N, L), -1 behind the end.
        labels: int64 positions in `classes`, (N,).
        classes: name of each class.
        attributes: by name; no network learns them, an audit may ask how much z tells of them.
        vocabulary: of texts, what each token reads.

    Raises:
        DataError: shapes, types or labels that do not fit together.
    """

    name: str
    inputs: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.vocabulary:
            check_tokens(self.name, self.inputs, len(self.vocabulary))
        else:
            check_numbers(self.name, self.inputs)
        check_places(self.name, "labels", self.labels, self.classes, len(self.inputs))
        for name, each in self.attributes.items():
            check_places(f"{self.name}: {name}", "values", each.values, each.names, len(self))

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample, as floats."""
        own = tuple(self.inputs.shape[1:])
        return (*own, len(self.vocabulary)) if self.vocabulary else own

    @property
    def kind(self) -> Kind:
        """What the samples are; images have values in [0, 1] once they are floats."""
        return Kind.TEXT if self.vocabulary else Kind.of(self.shape)

    def to(self, device: torch.device | str) -> LabeledSet:
        """The same set on another device."""
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device))

    def take(self, index: Tensor | slice) -> LabeledSet:
        """The samples at these positions."""
        attributes = {
            name: replace(each, values=each.values[_on(each.values, index)])
            for name, each in self.attributes.items()
        }
        return replace(
            self, inputs=self.inputs[index], labels=self.labels[index], attributes=attributes
        )

    def floats(self, index: Tensor | slice = slice(None)) -> Tensor:
        """Samples as float32: images scaled to [0, 1], a row of texts with a 1 at its token."""
        chosen = self.inputs[index]
        if self.kind is Kind.TEXT:
            return F.one_hot(chosen + 1, len(self.vocabulary) + 1)[..., 1:].float()
        return chosen.float() / 255 if self.kind is Kind.IMAGE else chosen

    def shuffled(self, generator: torch.Generator) -> Tensor:
        """All positions in random order, int64: the first ones of the test set are the victims."""
        return torch.randperm(len(self), generator=generator)

    def mixed(self, count: int, seed: int = 0) -> LabeledSet:
        """So many samples, or all, in the random order of a seed: a file may list by class."""
        return self.take(self.shuffled(torch.Generator().manual_seed(seed))[:count])

    def batches(self, size: int, order: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs as floats and labels, `size` at a time, cut out on the device.

        Args:
            size: samples per batch; the last one may be smaller.
            order: positions to visit, int64; all of them in turn by default.
        """
        count = len(self) if order is None else len(order)
        for start in range(0, count, size):
            index = slice(start, start + size) if order is None else order[start : start + size]
            yield self.floats(index), self.labels[index]


def _on(values: Tensor, index: Tensor | slice) -> Tensor | slice:
    return index if isinstance(index, slice) else index.to(values.device)


@dataclass(frozen=True)
class Splits:
    """The training and the test part of one data set.

    Raises:
        DataError: the parts differ in shape, classes or attributes, a class has no training
            sample, or all test samples are of one.
    """

    train: LabeledSet
    test: LabeledSet

    def __post_init__(self) -> None:
        train, test = self.train, self.test
        if train.vocabulary != test.vocabulary:
            raise DataError(f"{train.name}: expected training and test texts of one vocabulary")
        if (train.shape, train.classes) != (test.shape, test.classes):
            raise DataError(
                f"{train.name}: expected training and test samples alike, but got shapes "
                f"{train.shape} and {test.shape}, {len(train.classes)} and {len(test.classes)} "
                "classes"
            )
        names = [{k: v.names for k, v in part.attributes.items()} for part in (train, test)]
        if names[0] != names[1]:
            raise DataError(
                f"{train.name}: expected training and test samples with the same attributes, but "
                f"got {names[0]} and {names[1]}"
            )
        counts = torch.bincount(train.labels, minlength=len(train.classes))
        empty = [name for name, n in zip(train.classes, counts.tolist(), strict=True) if not n]
        if empty or not len(test):
            what = f"class {', '.join(empty)} in training" if empty else "test"
            raise DataError(f"{train.name}: expected samples of every class, but got no {what}")
        if len(test.classes) > 1 and test.labels.unique().numel() == 1:
            raise DataError(
                f"{train.name}: expected test samples of two classes or more, but all are of "
                f"{test.classes[test.labels[0]]}; mix the samples before they are split"
            )

    def holdout(self, share: float, seed: int = 0) -> Splits:
        """Training samples alone: a random `share` of them stands in for the test samples.

        What is tuned on the part held out has not seen the test samples.

        Args:
            share: share of the training samples to hold out, in (0, 1).
            seed: draws them; the same for everything that is to be compared.

        Raises:
            DataError: nothing is held out, or a class loses all of its training samples.
        """
        order = torch.randperm(len(self.train), generator=torch.Generator().manual_seed(seed))
        held = round(share * len(order))
        return Splits(self.train.take(order[held:]), self.train.take(order[:held]))
