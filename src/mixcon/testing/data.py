"""What every data set keeps to."""

from __future__ import annotations

from collections.abc import Callable

import torch

from mixcon.data import LabeledSet, Splits
from mixcon.testing._expect import expect

__all__ = ["check_data"]

_SHARED = 0.01  # of the test samples, at most: real sets hold a few samples twice


def check_data(load: Callable[[], Splits]) -> None:
    """Check a function that loads a data set.

    It must return `Splits`, which check themselves; the same ones at every call, as resuming and
    auditing a run need; and hold test samples that are not in the training part, since those are
    the attacker's own and no victim may be among them.

    Args:
        load: loads it, without arguments: ``lambda: mine.load(data_dir, seed)`` where it takes
            some.

    Raises:
        AssertionError: one of these does not hold.
        DataError: shapes, types or labels that do not fit together.

    Example:
        >>> from mixcon.data.digits import digits
        >>> check_data(digits)
    """
    first, second = load(), load()
    kind = type(first).__name__
    expect(isinstance(first, Splits), f"expected mixcon.data.Splits, but got {kind}")
    for one, other in ((first.train, second.train), (first.test, second.test)):
        expect(
            torch.equal(one.inputs, other.inputs) and torch.equal(one.labels, other.labels),
            "expected the same samples in the same order at every call",
        )
    known = set(_keys(first.train))
    shared = sum(key in known for key in _keys(first.test))
    expect(
        shared <= _SHARED * len(first.test),
        f"expected test samples that are not in the training part, but {shared} of "
        f"{len(first.test)} are",
    )


def _keys(part: LabeledSet) -> list[bytes]:
    return [sample.numpy().tobytes() for sample in part.inputs]
