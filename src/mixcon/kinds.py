"""Kinds of input: what a sample is, and what follows from it. Whoever has to know asks here."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from mixcon.errors import ConfigError

__all__ = ["Kind", "has_structure"]

_WINDOW = 11  # pixels a side that SSIM looks at


class Kind(StrEnum):
    """Images (C, H, W), vectors (d,) or sequences, which are (C, T) of sound or (L, D) of text.

    A kind is the name of itself: ``Kind("image") == "image"``.
    """

    IMAGE = "image"
    VECTOR = "vector"
    SEQUENCE = "sequence"

    @classmethod
    def of(cls, shape: Sequence[int]) -> Kind:
        """The kind of samples of this shape, without the batch.

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
    def _missing_(cls, value: object) -> Kind:
        raise ConfigError(f"expected one of the kinds {', '.join(cls)}, but got {value!r}")

    def fits(self, shape: Sequence[int]) -> bool:
        """Whether samples of this kind can have this shape, without the batch."""
        return len(shape) == {Kind.IMAGE: 3, Kind.VECTOR: 1, Kind.SEQUENCE: 2}[self]

    @property
    def plural(self) -> str:
        """What several are called."""
        return f"{self}s"

    @property
    def box(self) -> tuple[float, float] | None:
        """Smallest and largest value that a sample can have; None where there is no bound."""
        return (0.0, 1.0) if self is Kind.IMAGE else None

    @property
    def headlines(self) -> tuple[str, ...]:
        """Names of the metrics that a verdict can rest on, the preferred one first.

        Images: SSIM, which sees structure. Sequences: the cosine, which no volume changes; the
        scale-invariant signal-to-noise ratio of audio is a function of it. Vectors: the squared
        error, since a cosine says nothing of columns that lie far from 0; excess leakage is its
        share of the guess's own, so that no unit matters there either.
        """
        preferred = {
            Kind.IMAGE: ("ssim", "mse", "cosine"),
            Kind.SEQUENCE: ("cosine", "mse"),
            Kind.VECTOR: ("mse", "cosine"),
        }
        return preferred[self]


def has_structure(shape: Sequence[int]) -> bool:
    """Whether samples of this shape are images large enough for SSIM to compare."""
    return Kind.IMAGE.fits(shape) and min(shape[-2:]) >= _WINDOW
