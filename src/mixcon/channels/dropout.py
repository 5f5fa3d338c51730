"""Numbers left out at random."""

from __future__ import annotations

from torch import Tensor

from mixcon.channels.base import Channel, Distribution
from mixcon.errors import ConfigError

__all__ = ["Dropout"]


class Dropout(Channel):
    """Sets each number to zero with probability `rate`, in training and at inference alike.

    Unlike `torch.nn.Dropout`, which acts in training only and rescales. Here the numbers that
    survive leave as they are: the device withholds values and does not amplify the others, and
    a head trained with the channel learns the scale.

        z m,   each m 0 with probability rate, else 1

    Source: the dropout defense of He, Zhang and Lee, "Attacking and Protecting Data Privacy in
    Edge-Cloud Collaborative Inference Systems", IEEE Internet of Things Journal, 2020.

    Args:
        rate: probability of leaving a number out, in [0, 1).

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: rate lies outside [0, 1).

    Cost: a uniform number for each of z; no weights, no bytes saved, for zeros are sent.
    """

    draws: Distribution | None = "uniform"
    smooth = True
    search = {"rate": ("0.1,0.3,0.5,0.7,0.9", "0.1..0.9")}  # noqa: RUF012

    def __init__(self, rate: float) -> None:
        super().__init__()
        if isinstance(rate, bool | str) or not 0 <= rate < 1:
            raise ConfigError(f"expected rate to be a number in [0, 1), but got {rate!r}")
        self.rate = float(rate)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Leave out the numbers whose noise lies below the rate."""
        return z.masked_fill(noise < self.rate, 0.0)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"rate={self.rate:g}"
