"""What a part of a defense is built for."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Sizes"]


class Sizes(NamedTuple):
    """Sizes of a split model, each without the batch.

    Attributes:
        inputs: shape of one input x.
        representation: shape of one representation: raw, or what the channels before released.
        classes: number of logits.
    """

    inputs: tuple[int, ...]
    representation: tuple[int, ...]
    classes: int
