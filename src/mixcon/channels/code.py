"""A few bits leave, and nothing else."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.channels._checks import check_count, check_map
from mixcon.channels.base import Channel, Distribution, Levels
from mixcon.channels.map_channels import ExpandChannels
from mixcon.channels.project import Expand
from mixcon.errors import ConfigError
from mixcon.split import Sizes

__all__ = ["Code"]


class _Norm(nn.BatchNorm1d):
    """Batch normalization that takes a batch of one, which has no variance, as at inference."""

    def forward(self, input: Tensor) -> Tensor:
        if self.training and len(input) == 1:
            known = (self.running_mean, self.running_var, self.weight, self.bias)
            return F.batch_norm(input, *known, training=False, eps=self.eps)
        return super().forward(input)


class Code(Channel):
    """A learned code of `bits` bits, each -1 or +1, optionally flipped at random.

    A linear map to as many numbers, batch normalization, and the sign. The gradient is that of
    tanh (straight-through: Bengio, Léonard and Courville, arXiv:1308.3432, 2013). Inputs of one
    word share one representation, and words differ by at least a bit: the paper's idea of
    separability at its limit. Without flips, asking again about an input tells nothing more.

    Whatever an attacker knows, seeing z multiplies the chance of any guess by at most 2^bits
    (maximal leakage: Issa, Wagner and Kamath, IEEE Transactions on Information Theory, 2020).

        z = sign(BN(W h + b)), each bit flipped with probability flip

    Args:
        bits: how many bits leave, at least 1.
        flip: probability that a bit is flipped, in [0, 0.5).
        per_place: whether each place of a map gets a word of so many bits, from its own channels.
        sizes: of the model it is built for.

    Shape:
        (N, *sizes.representation) to (N, bits); per place (N, C, H, W) to (N, bits, H, W).

    Raises:
        ConfigError: bits is no whole number >= 1, flip lies outside [0, 0.5), per_place is neither
            true nor false, or there are no places.

    Source: Bengio, Leonard and Courville, arXiv:1308.3432 (gradient); Issa, Wagner and Kamath, IEEE
    Transactions on Information Theory 2020 (bound); Li et al., MixCon, Eq. 1 (the idea of
    separability).

    Cost: bits (m + 1) weights and a batch normalization on the device, m (bits + 1) weights in the
    cloud; an eighth of a byte a bit leaves.
    """

    draws: Distribution | None = "uniform"
    search = {"bits": ("6,8,10,12,16,24", "6..24")}  # noqa: RUF012

    def __init__(
        self, bits: int, flip: float = 0.0, per_place: bool = False, *, sizes: Sizes
    ) -> None:
        super().__init__()
        if isinstance(flip, bool | str) or not 0 <= flip < 0.5:
            raise ConfigError(f"expected flip to be a number in [0, 0.5), but got {flip!r}")
        if not isinstance(per_place, bool):
            raise ConfigError(f"expected per_place to be true or false, but got {per_place!r}")
        self.bits, self.flip, self.per_place = check_count("bits", bits), float(flip), per_place
        self._given = sizes.representation
        self.linear, self.norm = self._layers()
        if not self.flip:
            self.draws = None  # this one draws nothing

    def _layers(self) -> tuple[nn.Module, nn.Module]:
        if self.per_place:
            check_map("code(per_place=true)", self._given)
            return nn.Conv2d(self._given[0], self.bits, 1), nn.BatchNorm2d(self.bits)
        return nn.Linear(math.prod(self._given), self.bits), _Norm(self.bits)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """The word of each representation, as -1 and +1."""
        soft = torch.tanh(self.norm(self.linear(z if self.per_place else z.flatten(1))))
        hard = torch.where(soft.detach() >= 0, 1.0, -1.0).to(soft.dtype)
        word: Tensor = hard + (soft - soft.detach())
        return torch.where(noise < self.flip, -word, word) if self.flip else word

    @property
    def levels(self) -> Levels:
        """-1 and +1."""
        return Levels(bits=1, low=-1.0, step=2.0)

    def shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """(bits,), or (bits, H, W)."""
        return (self.bits, *given[1:]) if self.per_place else (self.bits,)

    def word_bits(self, given: tuple[int, ...]) -> float:
        """The bits of all places."""
        return float(math.prod(self.shape(given)))

    @property
    def flip_rate(self) -> float:
        """Of each bit."""
        return self.flip

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """By the number of bits in which the words differ: each is a flip."""
        shape = self.shape(tuple(given.shape[1:]))
        with torch.no_grad():
            words = self.transform(given, given.new_ones(len(given), *shape))
        agree = z.flatten(1).double() @ words.flatten(1).double().T
        differ = (math.prod(shape) - agree) / 2
        return differ * math.log(self.flip / (1 - self.flip))

    def receiver(self) -> nn.Module:
        """A learned linear map to what the head takes, and a ReLU."""
        if self.per_place:
            return ExpandChannels(self.bits, self._given[0])
        return Expand(self.bits, self._given)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        flip = f", flip={self.flip:g}" if self.flip else ""
        return f"bits={self.bits}{flip}" + (", per_place=True" if self.per_place else "")
