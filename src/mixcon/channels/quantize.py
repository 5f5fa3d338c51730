"""Fewer bits per number."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mixcon._clamp import clamp
from mixcon.channels.base import Channel, Levels
from mixcon.errors import ConfigError

__all__ = ["Quantize"]

_MOMENTUM = 0.1  # weight of a new batch in the running range, as in batch norm


class Quantize(Channel):
    """Rounds to 2^bits evenly spaced levels from `low` to `high`; straight-through gradient.

    In training mode every batch updates the range: the first one sets it to its minimum and
    maximum, later ones move it by an exponential average. In evaluation mode the range stays.
    Numbers outside are clamped. The gradient is 1 inside the range and 0 outside
    (Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018).

        low + step round((clamp(z, low, high) - low) / step),   step = (high - low) / (2^bits - 1)

    Args:
        bits: bits per number, 1 to 16.

    Attributes:
        low: buffer, the number that code 0 stands for; NaN before the first batch.
        high: buffer, the number that code 2^bits - 1 stands for; NaN before the first batch.

    Shape:
        (N, ...) to (N, ...), in the dtype of the input.

    Raises:
        ConfigError: bits is not an integer from 1 to 16; or, on use in evaluation mode, the range
            was neither observed nor loaded.

    Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference, CVPR 2018.

    Cost: one pass over z; two numbers to keep; bits a number leave where the wire format is as
    narrow.
    """

    search = {"bits": ("1,2,4,8", "1..8")}  # noqa: RUF012

    low: Tensor
    high: Tensor

    def __init__(self, bits: int) -> None:
        super().__init__()
        if isinstance(bits, bool) or bits not in range(1, 17):
            raise ConfigError(f"expected bits to be an integer from 1 to 16, but got {bits!r}")
        self.bits = int(bits)
        self.register_buffer("low", torch.tensor(torch.nan))
        self.register_buffer("high", torch.tensor(torch.nan))
        # Beside the buffers, so that forward never waits for a device to answer.
        self._observed = False
        self.register_load_state_dict_post_hook(_note_loaded_range)  # type: ignore[no-untyped-call]

    @property
    def scale(self) -> Tensor:
        """Distance between neighboring levels; 1 where the range is a single number."""
        width = _wide(self.high) - _wide(self.low)
        return torch.where(width > 0, width / (2**self.bits - 1), 1.0)

    @property
    def levels(self) -> Levels:
        """The numbers that codes stand for."""
        return Levels(self.bits, self.low.item(), self.scale.item())

    def word_bits(self, given: tuple[int, ...]) -> float:
        """So many bits for each number."""
        return float(self.bits * math.prod(given))

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """The nearest level of each number, after observing the batch in training mode."""
        if self.training:
            self._observe(z.detach())
        inside = self._inside(z)
        nearest = self.low + self.scale * self._codes(inside.detach())
        return (nearest + (inside - inside.detach())).to(z.dtype)  # exactly `nearest`

    def codes(self, z: Tensor) -> Tensor:
        """Integer codes from 0 to 2^bits - 1, as int32, in the shape of z; observes nothing.

        A code stands for the number `low + scale * code`.
        """
        return self._codes(self._inside(z)).to(torch.int32)

    def _codes(self, inside: Tensor) -> Tensor:
        return ((inside - self.low) / self.scale).round()

    def _inside(self, z: Tensor) -> Tensor:
        if not self._observed:
            raise ConfigError(
                "expected a quantizer that knows its range, but it has seen no batch; run one "
                "through it in training mode, or load its state"
            )
        return clamp(_wide(z), self.low, self.high)

    def _observe(self, z: Tensor) -> None:
        for bound, seen in ((self.low, z.amin()), (self.high, z.amax())):
            if self._observed:
                bound.add_(seen.to(bound.dtype) - bound, alpha=_MOMENTUM)
            else:
                bound.copy_(seen)
        self._observed = True

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"bits={self.bits}"


def _wide(values: Tensor) -> Tensor:
    """At least float32: the codes of 16 bits do not fit into half precision."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _note_loaded_range(module: nn.Module, _incompatible_keys: object) -> None:
    if isinstance(module, Quantize):
        module._observed = not bool(module.low.isnan())
