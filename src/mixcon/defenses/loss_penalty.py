"""A separability loss as a penalty."""

from __future__ import annotations

from typing import Literal, Self

from torch import Tensor

from mixcon.defenses.base import Batch, Penalty
from mixcon.errors import ConfigError
from mixcon.losses import SeparabilityLoss

__all__ = ["LossPenalty"]


class LossPenalty(Penalty):
    """A loss of `mixcon.losses` on representations, times its weight.

    Args:
        loss: against labels or inputs, as it says.
        weight: lambda in the paper, >= 0.
        on: ``raw``, as in the paper, or ``z``, what leaves the device.

    Raises:
        ConfigError: another `on`, or a negative weight.
    """

    def __init__(
        self, loss: SeparabilityLoss, weight: float = 1.0, on: Literal["raw", "z"] = "raw"
    ) -> None:
        super().__init__(weight)
        if on not in ("raw", "z"):
            raise ConfigError(f"expected on to be raw or z, but got {on!r}")
        self.loss, self.on = loss, on

    def cost(self, batch: Batch) -> Tensor:
        """The loss."""
        against = batch.y if self.loss.against == "labels" else batch.x
        cost: Tensor = self.loss(batch.raw if self.on == "raw" else batch.z, against)
        return cost

    @property
    def numbers(self) -> dict[str, float]:
        """The weight, and those of the loss."""
        return {**super().numbers, **self.loss.numbers}

    def at(self, weight: Tensor, **numbers: Tensor) -> Self:
        """The same for other `numbers`."""
        other = super().at(weight)
        other.loss = self.loss.at(**numbers)
        return other
