"""A labeled data set held in memory as two tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.errors import DataError
from mixcon.kinds import Kind

__all__ = ["END", "Attribute", "LabeledSet", "Splits"]

_NAMED = 5  # columns, at most
_TYPES = {Kind.IMAGE: torch.uint8, Kind.VECTOR: torch.float32, Kind.SEQUENCE: torch.float32}
END = -1
"""Stands for the token that a text no longer has."""


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
        for name, each in self.attributes.items():
            _check_attribute(f"{self.name}: {name}", each, len(self.labels))
        if self.vocabulary:
            _check_tokens(self.name, self.inputs, len(self.vocabulary))
        else:
            _check_numbers(self.name, self.inputs)
        if self.labels.dtype != torch.int64 or self.labels.shape != self.inputs.shape[:1]:
            raise DataError(
                f"{self.name}: expected int64 labels of shape ({len(self.inputs)},), but got "
                f"{self.labels.dtype} of shape {tuple(self.labels.shape)}"
            )
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise DataError(
                f"{self.name}: expected labels from 0 to {len(self.classes) - 1}, but got "
                f"{int(self.labels.min())} to {int(self.labels.max())}"
            )

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


def _check_numbers(name: str, inputs: Tensor) -> None:
    shape = tuple(inputs.shape[1:])
    if not any(kind.fits(shape) and inputs.dtype == of for kind, of in _TYPES.items()):
        raise DataError(
            f"{name}: expected uint8 images (N, C, H, W), float32 vectors (N, d), float32 "
            "sequences (N, C, T), or a vocabulary and int64 texts (N, L), but got "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}"
        )
    if inputs.is_floating_point() and not inputs.isfinite().all():
        raise DataError(f"{name}: expected finite numbers, but got {_bad(inputs)}")
    if Kind.of_samples(inputs) is Kind.TEXT:
        raise DataError(
            f"{name}: expected sequences of numbers, but each row has a single 1; give int64 "
            "positions (N, L), and a vocabulary, and they are texts"
        )


def _check_tokens(name: str, inputs: Tensor, words: int) -> None:
    if inputs.dtype != torch.int64 or inputs.dim() != 2:
        raise DataError(
            f"{name}: expected int64 texts (N, L), for there is a vocabulary, but got "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}"
        )
    if inputs.numel() and not END <= inputs.min() <= inputs.max() < words:
        raise DataError(
            f"{name}: expected tokens from 0 to {words - 1}, and -1 behind the end, but got "
            f"{int(inputs.min())} to {int(inputs.max())}"
        )
    empty = int((inputs == END).all(1).sum())
    if empty:
        raise DataError(f"{name}: expected texts, but {empty} have no token; leave those out")


def _bad(inputs: Tensor) -> str:
    """Which numbers are NaN or infinite, in words."""
    bad = ~inputs.isfinite()
    samples = f"NaN or infinity in {int(bad.flatten(1).any(1).sum())} of {len(inputs)} samples"
    if inputs.dim() != 2:
        return f"{samples}; leave those out"
    columns = bad.any(0).nonzero().flatten().tolist()
    named = ", ".join(map(str, columns[:_NAMED])) + ", ..." * (len(columns) > _NAMED)
    return f"{samples}, in column {named}; fill them in, or leave those samples out"


def _on(values: Tensor, index: Tensor | slice) -> Tensor | slice:
    return index if isinstance(index, slice) else index.to(values.device)


def _check_attribute(what: str, given: Attribute, count: int) -> None:
    values = given.values
    if values.dtype != torch.int64 or values.shape != (count,):
        raise DataError(
            f"{what}: expected int64 values of shape ({count},), but got {values.dtype} of shape "
            f"{tuple(values.shape)}"
        )
    if count and not 0 <= values.min() <= values.max() < len(given.names):
        raise DataError(
            f"{what}: expected values from 0 to {len(given.names) - 1}, but got "
            f"{int(values.min())} to {int(values.max())}"
        )


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
