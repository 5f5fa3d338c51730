"""Learned noise: as large, number by number, as the task bears."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.channels import Channel
from mixcon.defenses.base import WEIGHTS, Batch, Defense, Penalty, searched
from mixcon.errors import ConfigError
from mixcon.split import Sizes

__all__ = ["LearnedNoise", "NoiseReward", "shredder"]


class LearnedNoise(Channel):
    """Adds noise whose location and scale are learned for each number.

    Args:
        scale: what every scale starts at, > 0; for ``normal`` it is the standard deviation.
        noise: ``laplace``, as in the paper, or ``normal``.
        sizes: of the model it is built for.

    Shape:
        (N, *sizes.representation) to the same, in the dtype of the input.

    Raises:
        ConfigError: scale is no positive number, or another noise.
    """

    smooth = True

    def __init__(
        self, scale: float = 0.1, noise: Literal["laplace", "normal"] = "laplace", *, sizes: Sizes
    ) -> None:
        super().__init__()
        if isinstance(scale, bool | str) or not 0 < scale < float("inf"):
            raise ConfigError(f"expected scale to be a finite number > 0, but got {scale!r}")
        if noise not in ("laplace", "normal"):
            raise ConfigError(f"expected noise to be laplace or normal, but got {noise!r}")
        self.draws = noise
        self.location = nn.Parameter(torch.zeros(sizes.representation))
        start = torch.tensor(float(scale), dtype=torch.float64).expm1().log().float()
        self.unbounded = nn.Parameter(start.expand(sizes.representation).clone())

    @property
    def scale(self) -> Tensor:
        """Of the noise of each number, positive, in the shape of one representation."""
        return F.softplus(self.unbounded)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Add the noise."""
        return (z + self.location + self.scale * noise).to(z.dtype)

    def log_likelihood(self, z: Tensor, given: Tensor) -> Tensor:
        """By the learned law of each number."""
        scale = self.scale.detach().flatten().double()
        found, centers = z.flatten(1).double(), (given + self.location).flatten(1).double()
        if self.draws == "laplace":
            return -torch.cdist(found / scale, centers / scale, p=1)
        return -torch.cdist(found / scale, centers / scale).square() / 2

    @property
    def noise_scale(self) -> float:
        """The smallest scale: bounds that hold for it hold for the larger ones."""
        return self.scale.min().item()

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"noise={self.draws}"


class NoiseReward(Penalty):
    """Rewards large noise: minus the mean logarithm of its scales, its entropy but for a constant.

    Args:
        channel: whose noise it is; its weights stay the channel's.
        weight: >= 0.
    """

    def __init__(self, channel: LearnedNoise, weight: float) -> None:
        super().__init__(weight)
        self._channel = (channel,)  # in a tuple, where no module looks for weights

    def cost(self, batch: Batch) -> Tensor:
        """Minus the mean logarithm, in nats for each number."""
        return -self._channel[0].scale.log().mean()


@searched(weight=WEIGHTS, scale=("0.03,0.1,0.3,1", "0.01..1"))
def shredder(
    weight: float = 0.1,
    scale: float = 0.1,
    noise: Literal["laplace", "normal"] = "laplace",
    *,
    sizes: Sizes,
) -> Defense:
    """Learned noise, and the reward for its size.

    Behind `normalize`, the encoder cannot drown out the noise by larger numbers.

        z = h + m + s n,   s = softplus(u);   penalty  - weight mean log s

    Source: Mireshghallah et al., Shredder, ASPLOS 2020. There the network stands still while noise
    learns, and the sum of its absolute values is rewarded; a large mean, which hides nothing, earns
    that too. Here both learn together, and the noise's entropy is rewarded.

    Args:
        weight: of the reward, >= 0.
        scale: what every scale starts at, > 0.
        noise: ``laplace`` or ``normal``.
        sizes: of the model it is built for.

    Raises:
        ConfigError: a setting out of range.

    Cost: two learned numbers for each of z; no bytes saved.
    """
    channel = LearnedNoise(scale, noise, sizes=sizes)
    return Defense(penalties=(NoiseReward(channel, weight),), channels=(channel,))
