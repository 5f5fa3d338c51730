"""Channel: what happens to a representation before it leaves the device."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

__all__ = ["Channel", "Distribution", "Levels", "averaged", "compose", "parts", "received"]

Distribution: TypeAlias = Literal["normal", "laplace", "uniform"]


class Levels(NamedTuple):
    """The evenly spaced numbers that a quantizing channel sends: `low + step * code`."""

    bits: int
    low: float
    step: float


class Channel(nn.Module, ABC):
    """From representations (N, ...) to what leaves the device, in training and at inference alike.

    A channel says by itself what the rest of the house must know of it: what noise it draws
    (`draws`), how strong that is (`noise_scale`), whether it is smooth, how many words it can send
    (`word_bits`). Export turns what it draws into an input of the graph, which the device fills
    from its secure source; so `transform` is a function of its two arguments alone.

    Attributes:
        draws: distribution of the noise, one number for each of z; None for a channel without.
        unit_norm: whether what leaves has an L2 norm of at most 1, which bounds rest on.
        smooth: whether `transform` has a derivative by z almost everywhere that bounds may use.
        search: setting to the values that a grid visits and the range that a sampler draws from.
    """

    draws: Distribution | None = None
    unit_norm: ClassVar[bool] = False
    smooth: ClassVar[bool] = False
    search: ClassVar[Mapping[str, tuple[str, str]]] = {}

    @abstractmethod
    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """What leaves for z, (N, ...), given its noise: as `draws` says, (N, *noise_shape)."""

    def forward(self, z: Tensor) -> Tensor:
        """Draw from torch's default generator of the device of z, and transform."""
        return self.transform(z, _drawn(self.draws, z, self.noise_shape(tuple(z.shape[1:]))))

    @property
    def noise_scale(self) -> float | None:
        """Of additive noise: sigma of a normal, scale of a laplace distribution; else None."""
        return None

    @property
    def levels(self) -> Levels | None:
        """The numbers that are sent, where they are evenly spaced."""
        return None

    @property
    def has_likelihood(self) -> bool:
        """Whether `log_likelihood` is known."""
        return type(self).log_likelihood is not Channel.log_likelihood and self.draws is not None

    @property
    def flip_rate(self) -> float | None:
        """Probability that a bit is flipped, for channels that send bits; else None."""
        return None

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """Log-density of releases, (N, ...), for representations before it, (M, ...): (N, M).

        Up to a constant; for channels that draw noise and say so.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how likely a release is")

    def averaged(self, repeats: int) -> nn.Module:
        """What the mean of so many releases of one input is like, drawn anew each time."""
        return Repeated(self, repeats) if self.draws is not None else self

    def shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of what leaves for a representation of this shape, without the batch."""
        return given

    def noise_shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """Shape of the noise for a representation of this shape, without the batch."""
        return self.shape(given)

    def word_bits(self, given: tuple[int, ...]) -> float | None:
        """log2 of how many different z there can be; None where there is no such number."""
        return None

    def receiver(self) -> nn.Module | None:
        """A new module for the cloud, from z to what the network's head expects; None for none."""
        return None


class Repeated(nn.Module):
    """The mean of several releases of one representation: what an attacker makes of repeats.

    Args:
        channel: what is released.
        repeats: how often.
    """

    def __init__(self, channel: nn.Module, repeats: int) -> None:
        super().__init__()
        self.channel, self.repeats = channel, repeats

    def forward(self, z: Tensor) -> Tensor:
        """The mean over the repeats."""
        return torch.stack([self.channel(z) for _ in range(self.repeats)]).mean(0)


def averaged(channel: nn.Module, repeats: int) -> nn.Module:
    """What the mean of so many releases through a channel is like.

    Where the noise is the last thing that happens, it is that part's own answer; else the mean of
    whole releases.
    """
    every = list(parts(channel))
    if repeats == 1 or not every:
        return channel
    *before, last = every
    if isinstance(last, Channel) and not any(getattr(p, "draws", None) for p in before):
        return compose(*before, last.averaged(repeats))
    return Repeated(channel, repeats)


def compose(*channels: nn.Module) -> nn.Module:
    """One channel that applies `channels` from left to right; the identity for none."""
    flat = [part for channel in channels for part in parts(channel)]
    return nn.Sequential(*flat) if flat else nn.Identity()


def parts(channel: nn.Module) -> Iterator[nn.Module]:
    """The channels that a composition consists of, however deep, in order."""
    if type(channel) is nn.Sequential:
        for part in channel:
            yield from parts(part)
    elif type(channel) is not nn.Identity:
        yield channel


def received(channels: list[Channel], head: nn.Module) -> nn.Module:
    """The head behind the receivers of the channels: what was done last is undone first."""
    found = [receiver for c in reversed(channels) if (receiver := c.receiver()) is not None]
    return nn.Sequential(*found, head) if found else head


def _drawn(distribution: Distribution | None, z: Tensor, shape: tuple[int, ...]) -> Tensor:
    if distribution is None:
        return z.new_empty(0)
    like = z if tuple(z.shape[1:]) == shape else z.new_empty(len(z), *shape)
    if distribution == "normal":
        return torch.randn_like(like)
    if distribution == "uniform":
        return torch.rand_like(like)
    # The difference of two exponential variables is a Laplace variable.
    return torch.empty_like(like).exponential_() - torch.empty_like(like).exponential_()
