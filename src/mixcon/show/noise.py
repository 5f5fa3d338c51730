"""The dial: noise that the page adds to what leaves, and what arrives of it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.channels import Channel, GaussianNoise, compose
from mixcon.serving.contract import Contract
from mixcon.serving.wire import IntegerCode

__all__ = ["LEVELS", "dialed"]

LEVELS = (0.0, 0.5, 1.0, 2.0)
"""Standard deviations of the noise, in those of the representation."""


def dialed(channel: nn.Module, contract: Contract, sigma: float) -> nn.Module:
    """What a device does that adds noise to what its channel gives, then sends it as agreed.

    Args:
        channel: of the model.
        contract: says in which form numbers are sent.
        sigma: standard deviation of the noise, in units of the representation; 0 for none.
    """
    if not sigma:
        return channel
    sent: list[nn.Module] = []
    if contract.wire in ("int8", "int4"):
        sent = [_Sent(contract.scales[contract.wire], contract.low, contract.high)]
    return compose(channel, GaussianNoise(sigma), *sent)


class _Sent(Channel):
    """The nearest of the numbers that can be sent, from `low` to `high`."""

    def __init__(self, code: IntegerCode, low: float, high: float) -> None:
        super().__init__()
        self._code, self._low, self._high = code, low, high

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Round each number; it is what the page does before it packs."""
        steps = torch.round((z.clamp(self._low, self._high) - self._code.low) / self._code.step)
        return self._code.low + self._code.step * steps
