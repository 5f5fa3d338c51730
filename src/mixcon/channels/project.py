"""Few numbers leave, and not all of them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mixcon.channels._checks import check_count
from mixcon.channels.base import Channel
from mixcon.split import Sizes

__all__ = ["Expand", "Project"]


class Project(Channel):
    """A learned linear map of the representation to `n` numbers; the cloud maps them back.

    How much can be said about an input grows with the numbers that leave; noise behind a narrow
    projection costs less accuracy than the same noise on all of the representation.

        W z + b  leaves;  relu(W' z + b')  is what the head takes

    Args:
        n: how many numbers leave, at least 1.
        sizes: of the model it is built for.

    Shape:
        (N, *sizes.representation) to (N, n).

    Raises:
        ConfigError: n is no whole number >= 1.

    Source: a linear layer, as the bottleneck of Bourlard and Kamp, Biological Cybernetics 1988;
    without a bound of its own.

    Cost: n (m + 1) weights on the device and m (n + 1) in the cloud for representations of m
    numbers; n numbers leave.
    """

    smooth = True
    search = {"n": ("4,8,16,32,64", "4..64")}  # noqa: RUF012

    def __init__(self, n: int, *, sizes: Sizes) -> None:
        super().__init__()
        self.n, self._given = check_count("n", n), sizes.representation
        self.linear = nn.Linear(math.prod(self._given), self.n)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """The projection."""
        projected: Tensor = self.linear(z.flatten(1))
        return projected

    def shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """(n,)."""
        return (self.n,)

    def receiver(self) -> nn.Module:
        """A learned linear map back, and a ReLU."""
        return Expand(self.n, self._given)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"n={self.n}"


class Expand(nn.Module):
    """In the cloud: (N, n) back to the shape that the network's head was made for.

    Args:
        n: numbers that arrive.
        shape: what the head takes, without the batch.
    """

    def __init__(self, n: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.linear = nn.Linear(n, math.prod(shape))
        self._shape = shape

    def forward(self, z: Tensor) -> Tensor:
        """(N, n) to (N, *shape), not negative."""
        expanded: Tensor = torch.relu(self.linear(z)).unflatten(1, self._shape)
        return expanded
