"""The two halves of a split model as ONNX graphs.

Noise is no part of the graph: ONNX draws random numbers from a seeded generator that is not made
to keep secrets. Each random channel becomes an input instead, which the device fills at each call
from its operating system's secure source; the graph applies it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mixcon.channels import Dropout, GaussianNoise, LaplaceNoise
from mixcon.errors import ConfigError
from mixcon.serving.onnx_graph import to_onnx
from mixcon.split import SplitModel

__all__ = ["EdgeHalf", "edge_onnx", "head_onnx"]

Distribution = Literal["normal", "laplace", "uniform"]
Apply = Callable[[Any, Tensor, Tensor], Tensor]

# For each random channel: what to draw, and how its graph uses it. All others are exported as
# they are, after a check that they are not random.
_DRAWN: dict[type[nn.Module], tuple[Distribution, Apply]] = {
    GaussianNoise: ("normal", lambda channel, z, drawn: z + channel.sigma * drawn),
    LaplaceNoise: ("laplace", lambda channel, z, drawn: z + channel.scale * drawn),
    Dropout: ("uniform", lambda channel, z, drawn: z.masked_fill(drawn < channel.rate, 0.0)),
}


class EdgeHalf(nn.Module):
    """Encoder and channel, with what the random channels draw as further inputs.

    Args:
        model: the split model; its modules are shared, not copied.

    Attributes:
        distributions: what each further input is drawn from.
    """

    def __init__(self, model: SplitModel) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.parts = nn.ModuleList(_parts(model.channel))
        self.distributions = tuple(_DRAWN[type(p)][0] for p in self.parts if type(p) in _DRAWN)

    def forward(self, x: Tensor, *noise: Tensor) -> Tensor:
        """The representation that leaves the device, (N, ...)."""
        z, drawn = self.encoder(x), iter(noise)
        for part in self.parts:
            apply = _DRAWN.get(type(part))
            z = apply[1](part, z, next(drawn)) if apply else part(z)
        return z  # type: ignore[no-any-return]

    def refuse_hidden_noise(self, x: Tensor) -> None:
        """Refuse a random channel that is not known here: its noise would freeze in the graph.

        Raises:
            ConfigError: a channel or the encoder gives two results for one input.
        """
        z = self.encoder(x)
        steps = [(self.encoder, x), *((p, z) for p in self.parts if type(p) not in _DRAWN)]
        for step, given in steps:
            once = step(given.clone()).clone()  # a step may overwrite what it is given, or gave
            if not torch.equal(once, step(given.clone())):
                raise ConfigError(
                    f"expected every random channel to be one of "
                    f"{', '.join(kind.__name__ for kind in _DRAWN)}, but {type(step).__name__} "
                    "gives two results for one input; add it to mixcon.serving.halves"
                )


def _parts(channel: nn.Module) -> Iterator[nn.Module]:
    if isinstance(channel, nn.Sequential):
        for part in channel:
            yield from _parts(part)
    elif not isinstance(channel, nn.Identity):
        yield channel


def edge_onnx(half: EdgeHalf, x: Tensor, z: Tensor) -> bytes:
    """The encoder with its channel: inputs ``x``, ``noise_0``, ..., output ``z``.

    Args:
        half: in evaluation mode.
        x: two or more example inputs, (N, ...).
        z: as many representations, for their shape.
    """
    noise = tuple(torch.zeros_like(z) for _ in half.distributions)
    names = ["x", *(f"noise_{i}" for i in range(len(noise)))]
    return to_onnx(half, (x, *noise), names, "z")


def head_onnx(head: nn.Module, z: Tensor) -> bytes:
    """The head: input ``z``, output ``logits``."""
    return to_onnx(head, (z,), ["z"], "logits")
