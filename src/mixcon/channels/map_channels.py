"""Few channels of a map leave, its height and width kept."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from mixcon.channels._checks import check_count, check_map
from mixcon.channels.base import Channel
from mixcon.split import Sizes

__all__ = ["ExpandChannels", "MapChannels"]


class MapChannels(Channel):
    """A learned linear map of the channels at each place to `n`; the cloud maps them back.

    `project` for networks whose head needs a height and a width. It takes a hundredth of the
    weights, and leaves the layout of the input in what is sent.

        W z_hw + b  leaves for each place h, w;  relu(W' z_hw + b')  is what the head takes

    Args:
        n: how many channels leave, at least 1.
        sizes: of the model it is built for.

    Shape:
        (N, C, H, W) to (N, n, H, W).

    Raises:
        ConfigError: n is no whole number >= 1, or representations have no height and width.

    Source: the channel reduction of Eshratifar, Esmaili and Pedram, BottleNet, ISLPED 2019.

    Cost: n (C + 1) weights on the device and C (n + 1) in the cloud; n H W numbers leave.
    """

    smooth = True
    search = {"n": ("1,2,4,8", "1..16")}  # noqa: RUF012

    def __init__(self, n: int, *, sizes: Sizes) -> None:
        super().__init__()
        check_map("channels", sizes.representation)
        self.n, self._channels = check_count("n", n), sizes.representation[0]
        self.linear = nn.Conv2d(self._channels, self.n, 1)

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """The mapped channels."""
        return cast(Tensor, self.linear(z))

    def shape(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """(n, H, W)."""
        return (self.n, *given[1:])

    def receiver(self) -> nn.Module:
        """A learned linear map back at each place, and a ReLU."""
        return ExpandChannels(self.n, self._channels)

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"n={self.n}"


class ExpandChannels(nn.Module):
    """In the cloud: (N, n, H, W) back to the channels that the network's head was made for.

    Args:
        n: channels that arrive.
        channels: channels that the head takes.
    """

    def __init__(self, n: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(n, channels, 1)

    def forward(self, z: Tensor) -> Tensor:
        """(N, n, H, W) to (N, channels, H, W), not negative."""
        return torch.relu(cast(Tensor, self.linear(z)))
