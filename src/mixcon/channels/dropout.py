"""Numbers left out at random."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError

__all__ = ["Dropout"]


class Dropout(nn.Module):
    """Sets each number to zero with probability `rate`, in training and at inference alike.

    Unlike `torch.nn.Dropout`, which acts in training only and rescales. Here the numbers that
    survive leave as they are: the device withholds values and does not amplify the others, and
    a head trained with the channel learns the scale.

    Source: the dropout defense of He, Zhang and Lee, "Attacking and Protecting Data Privacy in
    Edge-Cloud Collaborative Inference Systems", IEEE Internet of Things Journal, 2020.

    Args:
        rate: probability of leaving a number out, in [0, 1).

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: rate lies outside [0, 1).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if isinstance(rate, bool | str) or not 0 <= rate < 1:
            raise ConfigError(f"expected rate to be a number in [0, 1), but got {rate!r}")
        self.rate = float(rate)

    def forward(self, z: Tensor) -> Tensor:
        """Draw the numbers to drop from torch's default generator of the device of z."""
        dropped = torch.empty_like(z, dtype=torch.bool).bernoulli_(self.rate)
        return z.masked_fill(dropped, 0)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"rate={self.rate:g}"
