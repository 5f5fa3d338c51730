"""What a metric of leakage is: how it is computed, and how its values read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from mixcon.kinds import Kind

__all__ = ["Metric", "Pairwise"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How the values of a metric read: one number a sample.

    Attributes:
        label: its name in tables and on axes, with its unit.
        higher_leaks: whether a higher value means a better reconstruction.
        perfect: the value of an exact copy; infinity where there is no such bound.
        limits: the least and the largest value there is.
        phrase: what a layman reads, around the number.
        spec: format of one value.
        description: one line for tables.
    """

    label: str
    higher_leaks: bool = True
    perfect: float = 1.0
    limits: tuple[float, float] = (0.0, 1.0)
    phrase: str = "similarity {} of 1"
    spec: str = "z.2f"
    description: str = "similarity in [0, 1], 1 is identical"

    def text(self, value: float) -> str:
        """One value, as tables and pictures show it."""
        return format(value, self.spec)

    def in_words(self, value: float) -> str:
        """One value, as a verdict says it."""
        return self.phrase.format(self.text(value))

    def closest(self, values: Sequence[float]) -> float:
        """The value that leaks most."""
        return max(values) if self.higher_leaks else min(values)


@dataclass(frozen=True, kw_only=True)
class Pairwise(Metric):
    """A metric that compares reconstructions with originals and needs nothing else.

    Attributes:
        function: maps (reconstruction, original), both (N, ...), to (N,).
        kinds: the kinds of sample that it compares, all by default.
    """

    function: Callable[[Tensor, Tensor], Tensor]
    kinds: frozenset[Kind] = frozenset(Kind)
