"""Kinds of input: what a sample is, and what follows from it. Whoever has to know asks here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from mixcon.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor  # which the device's half does without

__all__ = ["Kind", "has_structure"]

_WINDOW = 11  # pixels a side that SSIM looks at


class Kind(StrEnum):
    """Images (C, H, W), vectors (d,), sequences (C, T) such as sound, or texts (L, V).

    A row of a text has a 1 at the place of its token among V, or no 1 where the text has ended.
    A kind is the name of itself: ``Kind("image") == "image"``.
    """

    IMAGE = "image"
    VECTOR = "vector"
    SEQUENCE = "sequence"
    TEXT = "text"

    @classmethod
    def of(cls, shape: Sequence[int]) -> Kind:
        """The kind of samples of this shape, without the batch; a text counts as a sequence.

        Raises:
            ConfigError: no kind has so many dimensions.
        """
        for kind in cls:
            if kind.fits(shape):
                return kind
        raise ConfigError(
            "expected samples of shape (C, H, W) for images, (d,) for vectors or (C, T) for "
            f"sequences, but got {tuple(shape)}; reshape them"
        )

    @classmethod
    def of_samples(cls, samples: Tensor) -> Kind:
        """The kind of these samples, (N, *shape): texts are told from other sequences.

        Raises:
            ConfigError: no kind has so many dimensions.
        """
        kind = cls.of(samples.shape[1:])
        return cls.TEXT if kind is cls.SEQUENCE and _are_tokens(samples) else kind

    @classmethod
    def _missing_(cls, value: object) -> Kind:
        raise ConfigError(f"expected one of the kinds {', '.join(cls)}, but got {value!r}")

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether samples of this kind can have this shape, without the batch."""
        return len(shape) == {Kind.IMAGE: 3, Kind.VECTOR: 1}.get(self, 2)

    @property
    def plural(self) -> str:
        """What several are called."""
        return f"{self}s"

    @property
    def box(self) -> tuple[float, float] | None:
        """Smallest and largest value that a sample can have; None where there is no bound."""
        return (0.0, 1.0) if self in (Kind.IMAGE, Kind.TEXT) else None

    @property
    def headlines(self) -> tuple[str, ...]:
        """Names of the metrics that a verdict can rest on, the preferred one first.

        Images: SSIM, which sees structure. Sequences: the cosine, which no volume changes; the
        scale-invariant signal-to-noise ratio of audio is a function of it. Vectors: the squared
        error, since a cosine says nothing of columns that lie far from 0; excess leakage is its
        share of the guess's own, so that no unit matters there either. Texts: the share of tokens
        that are right.
        """
        preferred = {
            Kind.IMAGE: ("ssim", "mse", "cosine"),
            Kind.SEQUENCE: ("cosine", "mse"),
            Kind.VECTOR: ("mse", "cosine"),
            Kind.TEXT: ("tokens", "cosine", "mse"),
        }
        return preferred[self]


def has_structure(shape: Sequence[int]) -> bool:
    """Whether samples of this shape are images large enough for SSIM to compare."""
    return Kind.IMAGE.fits(shape) and min(shape[-2:]) >= _WINDOW


def _are_tokens(samples: Tensor) -> bool:
    """Whether each sample has rows with a single 1 and else zeros, and then none but zeros."""
    ones = samples == 1
    counts = ones.sum(-1)
    if not len(samples) or not bool(((samples == 0) | ones).all()):
        return False
    return bool((counts[:, 0] == 1).all()) and bool((counts[:, 1:] <= counts[:, :-1]).all())
