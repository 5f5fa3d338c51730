"""Variational information bottleneck: what leaves costs as many bits as it carries."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from mixcon.bounds import bounded_gaussian_leakage
from mixcon.channels import Channel, Distribution
from mixcon.channels._checks import check_count
from mixcon.channels.project import Expand
from mixcon.defenses.base import Batch, Defense, Penalty, searched
from mixcon.errors import ConfigError
from mixcon.split import Sizes

__all__ = ["Bottleneck", "Rate", "vib"]

_REACH = 3.0  # means lie between -3 and 3
_FLOOR = 0.1  # deviations lie between this and 1


class Bottleneck(Channel):
    """`n` numbers drawn from a Gaussian whose mean and deviation depend on the representation.

    The rate of a representation is the divergence KL(p(z | x) || N(0, 1)). Its mean over any
    distribution of x bounds I(X; Z) from above, for the rate exceeds the information by the
    divergence of z's own distribution from N(0, 1). Means and deviations are bounded, so that
    every rate, and with it I(X; Z) for every distribution of x, stays below `rate_limit`.

    Args:
        n: how many numbers leave, at least 1.
        sizes: of the model it is built for.

    Shape:
        (N, *sizes.representation) to (N, n).

    Raises:
        ConfigError: n is no whole number >= 1.
    """

    draws: Distribution | None = "normal"

    def __init__(self, n: int, *, sizes: Sizes) -> None:
        super().__init__()
        self.n, self._given = check_count("n", n), sizes.representation
        self.linear = nn.Linear(math.prod(self._given), 2 * self.n)
        self._latest: Tensor | None = None

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Mean and noise; in training mode the mean rate is left for the penalty to take."""
        mean, deviation = self._moments(z)
        if self.training:
            self._latest = _rate(mean, deviation).mean()
        return mean + deviation * noise

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """By the mean and the deviation of each representation."""
        mean, deviation = (part.double() for part in self._moments(given))
        precision, found = deviation.square().reciprocal(), z.flatten(1).double()
        own = (mean.square() * precision / 2 + deviation.log()).sum(1)
        return found @ (mean * precision).T - found.square() @ precision.T / 2 - own

    def rates(self, z: Tensor) -> Tensor:
        """Bits that each representation costs, (N,); their expectation bounds I(X; Z)."""
        return _rate(*self._moments(z)) / math.log(2)

    @property
    def rate_limit(self) -> float:
        """Bits that no representation exceeds: an upper bound on I(X; Z) for every x."""
        widest = _FLOOR**2 - 1 - 2 * math.log(_FLOOR)
        return self.n * (_REACH**2 + widest) / 2 / math.log(2)

    @property
    def leakage_limit(self) -> float:
        """Maximal leakage in bits, which bounds I(X; Z) as well."""
        return bounded_gaussian_leakage(self.n, _REACH, _FLOOR)

    def take_rate(self) -> Tensor:
        """The mean rate of the latest batch of training, in nats; each can be taken once.

        Raises:
            ConfigError: there was none.
        """
        if self._latest is None:
            raise ConfigError(
                "expected a batch to have passed the bottleneck in training mode before its rate "
                "is asked for, but there was none; call model.train() and the channel first"
            )
        rate, self._latest = self._latest, None  # a graph that is kept could not be copied
        return rate

    def _moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = cast(Tensor, self.linear(z.flatten(1))).chunk(2, 1)
        return _REACH * torch.tanh(mean / _REACH), _FLOOR + (1 - _FLOOR) * deviation.sigmoid()

    def shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """(n,)."""
        return (self.n,)

    def receiver(self) -> nn.Module:
        """A learned linear map back, and a ReLU."""
        return Expand(self.n, self._given)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"n={self.n}"


class Rate(Penalty):
    """The mean rate of the batch that has just passed a bottleneck, in nats.

    Args:
        channel: the bottleneck; its weights stay the channel's.
        weight: beta of the paper, >= 0.
    """

    def __init__(self, channel: Bottleneck, weight: float) -> None:
        super().__init__(weight)
        self._channel = (channel,)  # in a tuple, where no module looks for weights

    def cost(self, batch: Batch) -> Tensor:
        """Nats, >= 0."""
        return self._channel[0].take_rate()


@searched(weight=("1e-4,1e-3,1e-2,0.1", "1e-4..0.1"), n=("4,8,16,32", "4..64"))
def vib(n: int, weight: float = 1e-2, *, sizes: Sizes) -> Defense:
    """A bottleneck, and the price of its rate.

        z ~ N(mean(h), deviation(h)^2);   penalty  weight KL( N(mean, deviation^2) || N(0, 1) )

    Source: Alemi, Fischer, Dillon and Murphy, Deep Variational Information Bottleneck, ICLR 2017;
    there means and deviations have no limits.

    Args:
        n: how many numbers leave, at least 1.
        weight: beta of the paper, >= 0.
        sizes: of the model it is built for.

    Raises:
        ConfigError: a setting out of range.

    Cost: 2 n (m + 1) weights on the device, m (n + 1) in the cloud for representations of m
    numbers; n numbers leave.
    """
    channel = Bottleneck(n, sizes=sizes)
    return Defense(penalties=(Rate(channel, weight),), channels=(channel,))


def _rate(mean: Tensor, deviation: Tensor) -> Tensor:
    """KL(N(mean, deviation^2) || N(0, 1)), in nats, (N,)."""
    return (mean.square() + deviation.square() - 1 - 2 * deviation.log()).sum(1) / 2
