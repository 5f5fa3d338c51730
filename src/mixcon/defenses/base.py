"""What a defense is made of: penalties, adversaries and channels, composed with +."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, final

import torch
from torch import Tensor, nn

from mixcon.channels import Channel, compose, received
from mixcon.errors import ConfigError

__all__ = ["WEIGHTS", "Adversary", "Batch", "Defense", "Penalty", "searched"]

Make = TypeVar("Make", bound=Callable[..., Any])

WEIGHTS = ("0.01,0.1,0.5,1,2,5,10,100", "0.01..100")
"""What a search tries for a weight: the lambdas of the paper (section 4.3)."""


class Batch(NamedTuple):
    """One training batch on its way through the model. A tuple, so that DDP can carry it.

    Attributes:
        x: inputs, (N, *shape).
        y: labels, (N,).
        raw: raw representations h(x), (N, ...).
        z: what leaves the device, (N, ...).
    """

    x: Tensor
    y: Tensor
    raw: Tensor
    z: Tensor

    def detached(self) -> Batch:
        """The same, cut off from the model."""
        return Batch(*(part.detach() for part in self))


class _Weighted(nn.Module, ABC):
    """What both penalties and adversaries have: a weight, lambda in the paper."""

    name = ""  # what the defense calls it

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        if isinstance(weight, bool | str) or not 0 <= weight < float("inf"):
            raise ConfigError(f"expected weight to be a finite number >= 0, but got {weight!r}")
        self.weight = float(weight)

    @abstractmethod
    def cost(self, batch: Batch) -> Tensor:
        """What this costs the model, a scalar, before its weight."""

    @final
    def penalty(self, batch: Batch) -> Tensor:
        """The weighted cost."""
        return self.weight * self.cost(batch)


class Penalty(_Weighted):
    """A cost of the model beside the cross-entropy.

    What it remembers between batches is a buffer: it is then part of every checkpoint, and the
    same on every device. A penalty has no weights of its own; what learns is an `Adversary` or
    belongs to a channel.

    Args:
        weight: lambda in the paper, >= 0.

    Attributes:
        search: setting to the values that a grid visits and the range that a sampler draws from.
        stacked: settings by which the models of a stack may differ, the keys of `numbers`; None
            where it remembers something, and so cannot be stacked.
    """

    search: ClassVar[Mapping[str, tuple[str, str]]] = {"weight": WEIGHTS}
    stacked: ClassVar[tuple[str, ...] | None] = None

    @property
    def numbers(self) -> dict[str, float]:
        """The values of `stacked`."""
        return {"weight": self.weight}

    def at(self, weight: Tensor, **_numbers: Tensor) -> Self:
        """The same penalty for other `numbers`, scalar tensors that `torch.func.vmap` may batch."""
        other = copy(self)
        other.weight = weight  # type: ignore[assignment]
        return other


class Adversary(_Weighted):
    """A network that learns against the model, by an optimizer of its own.

    Each step of the model is followed by `updates` steps of the adversary on the same batch, cut
    off from the model. In the model's own step the adversary's weights stand still.

    Args:
        weight: how much its skill costs the model, >= 0.
    """

    search: ClassVar[Mapping[str, tuple[str, str]]] = {"weight": WEIGHTS}
    updates: int = 1

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """What it minimizes on a detached batch, a scalar."""

    def optimizer(self) -> torch.optim.Optimizer:
        """For its parameters: Adam, learning rate 1e-3, unless it says otherwise."""
        return torch.optim.Adam(self.parameters(), lr=1e-3)


@dataclass(frozen=True)
class Defense:
    """Penalties, adversaries and channels; channels apply from left to right.

    >>> from mixcon.channels import GaussianNoise, Normalize
    >>> len((Defense.of(Normalize()) + Defense.of(GaussianNoise(0.1))).channels)
    2
    """

    penalties: tuple[Penalty, ...] = ()
    adversaries: tuple[Adversary, ...] = ()
    channels: tuple[Channel, ...] = ()

    @classmethod
    def of(cls, part: Defense | Penalty | Adversary | Channel) -> Defense:
        """A defense of one part.

        Raises:
            ConfigError: it is none.
        """
        if isinstance(part, Defense):
            return part
        if isinstance(part, Penalty):
            _refuse_weights(part)
            return cls(penalties=(part,))
        if isinstance(part, Adversary):
            return cls(adversaries=(part,))
        if isinstance(part, Channel):
            return cls(channels=(part,))
        raise ConfigError(
            f"expected a Penalty, Adversary, Channel or Defense, but got {type(part).__name__}"
        )

    def __add__(self, other: Defense) -> Defense:
        return Defense(
            self.penalties + other.penalties,
            self.adversaries + other.adversaries,
            self.channels + other.channels,
        )

    @property
    def channel(self) -> nn.Module:
        """The channels as one; the identity for none."""
        return compose(*self.channels)

    def behind(self, head: nn.Module) -> nn.Module:
        """The head, behind what the cloud needs to read the channels."""
        return received(list(self.channels), head)

    def penalty(self, batch: Batch) -> Tensor:
        """Weighted sum of the penalties, and of what the adversaries cost, a scalar."""
        total = torch.zeros((), device=batch.raw.device)
        for part in (*self.penalties, *self.adversaries):
            total = total + part.penalty(batch)
        return total


def searched(**axes: tuple[str, str]) -> Callable[[Make], Make]:
    """For a function that makes a part of several: what a search tries, as `Penalty.search`."""

    def mark(make: Make) -> Make:
        make.search = axes  # type: ignore[attr-defined]
        return make

    return mark


def _refuse_weights(penalty: nn.Module) -> None:
    owned: list[Any] = [name for name, _ in penalty.named_parameters()]
    if owned:
        raise ConfigError(
            f"expected a penalty without weights, which no optimizer would train, but "
            f"{type(penalty).__name__} has {', '.join(owned)}; keep what it remembers in buffers, "
            "or make it an Adversary"
        )
