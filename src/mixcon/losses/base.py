"""What every loss of this room has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from torch import Tensor, nn

__all__ = ["SeparabilityLoss"]


class SeparabilityLoss(nn.Module):
    """A loss of representations, (N, ...), against what `against` names.

    Attributes:
        against: ``labels``, (N,), or ``inputs``, (N, ...): the second argument of `forward`.
        search: setting to the values that a grid visits and the range that a sampler draws from.
        stacked: settings by which the models of a stack may differ: the keys of `numbers`.
    """

    against: ClassVar[Literal["labels", "inputs"]] = "labels"
    search: ClassVar[Mapping[str, tuple[str, str]]] = {}
    stacked: ClassVar[tuple[str, ...]] = ()

    @property
    def numbers(self) -> dict[str, float]:
        """The values of `stacked`."""
        return {}

    def at(self, **_numbers: Tensor) -> Self:
        """The same loss for other `numbers`, scalar tensors that `torch.func.vmap` may batch."""
        return self
