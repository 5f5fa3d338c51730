"""Channels are left out, which ones depends on the input, against a decoder that learns along."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.channels import Channel
from mixcon.defenses.base import WEIGHTS, Defense, searched
from mixcon.defenses.reconstructor import Reconstructor
from mixcon.errors import ConfigError
from mixcon.split import Sizes

__all__ = ["PrunedChannels", "disco"]

_TEMPERATURE = 1 / 30  # of the mask's gradient, as in the authors' code
_HIDDEN = 64


class PrunedChannels(Channel):
    """Sets a share of the channels to zero, by the scores of a small network on their means.

    A number is a channel of its own where representations have no height and width. The mask is
    hard, 0 or 1; its gradient is that of a sigmoid around the threshold (straight-through).

    Args:
        ratio: share of channels that are left out, in [0, 1); one at least stays.
        sizes: of the model it is built for.

    Shape:
        (N, C, ...) to the same, in the dtype of the input.

    Raises:
        ConfigError: ratio lies outside [0, 1).
    """

    def __init__(self, ratio: float = 0.5, *, sizes: Sizes) -> None:
        super().__init__()
        if isinstance(ratio, bool | str) or not 0 <= ratio < 1:
            raise ConfigError(f"expected ratio to be a number in [0, 1), but got {ratio!r}")
        count = sizes.representation[0]
        self.ratio, self.kept = float(ratio), max(1, count - round(ratio * count))
        self.scores = nn.Sequential(nn.Linear(count, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, count))

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """The channels that score highest, and zeros."""
        mask = self.mask(z)
        return (z * mask.view(*mask.shape, *[1] * (z.ndim - 2))).to(z.dtype)

    def mask(self, z: Tensor) -> Tensor:
        """1 for each channel that leaves and 0 for the others, (N, C)."""
        scores = self.scores(z.flatten(2).mean(2) if z.ndim > 2 else z)
        above = scores - scores.topk(self.kept, 1).values[:, -1:].detach()
        soft = torch.sigmoid(above / _TEMPERATURE)
        hard = (above.detach() >= 0).to(soft.dtype)
        mask: Tensor = hard + (soft - soft.detach())
        return mask

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"ratio={self.ratio:g}"


@searched(weight=WEIGHTS, ratio=("0.3,0.5,0.7,0.9", "0.1..0.95"))
def disco(ratio: float = 0.5, weight: float = 1.0, *, sizes: Sizes) -> Defense:
    """Pruned channels, and the decoder that they are chosen against.

        z = M(h) h,   M keeps the channels that a small network scores highest

    Source: Singh et al., DISCO, CVPR 2021. There the encoder stands still while the pruning learns;
    here both learn together.

    Args:
        ratio: share of channels that are left out, in [0, 1).
        weight: how much the decoder's success costs the model, >= 0.
        sizes: of the model it is built for.

    Raises:
        ConfigError: a setting out of range.

    Cost: a network of one hidden layer of 64 on the device; while training, a decoder that trains
    along. Zeros are sent, so no bytes are saved.
    """
    pruned = PrunedChannels(ratio, sizes=sizes)
    return Defense(adversaries=(Reconstructor(weight, sizes=sizes),), channels=(pruned,))
