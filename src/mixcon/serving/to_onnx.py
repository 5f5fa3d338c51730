"""The two halves of a split model as ONNX graphs.

Noise is no part of the graph: ONNX draws random numbers from a seeded generator that is not made
to keep secrets. Each random channel becomes an input instead, which the device fills at each call
from its operating system's secure source; the graph applies it.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from mixcon.channels import Channel, Distribution, parts
from mixcon.errors import ConfigError
from mixcon.serving.onnx_graph import module_to_onnx
from mixcon.split import SplitModel

__all__ = ["EdgeHalf", "edge_onnx", "head_onnx"]


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
        self.parts = nn.ModuleList(parts(model.channel))
        self.distributions = tuple(d for part in self.parts if (d := _draws(part)) is not None)

    def forward(self, x: Tensor, *noise: Tensor) -> Tensor:
        """The representation that leaves the device, (N, ...)."""
        z, drawn = self.encoder(x), iter(noise)
        for part in self.parts:
            z = cast(Channel, part).transform(z, next(drawn)) if _draws(part) else part(z)
        return z  # type: ignore[no-any-return]

    def noise_shapes(self, x: Tensor) -> list[tuple[int, ...]]:
        """The shape of each further input for x, the batch included."""
        z, shapes = self.encoder(x), []
        for part in self.parts:
            if _draws(part):
                shapes.append((len(z), *cast(Channel, part).noise_shape(tuple(z.shape[1:]))))
            z = part(z)
        return shapes

    def refuse_hidden_noise(self, x: Tensor) -> None:
        """Refuse a random channel that is not known here: its noise would freeze in the graph.

        Raises:
            ConfigError: a channel or the encoder gives two results for one input.
        """
        z = self.encoder(x)
        steps = [(self.encoder, x)]
        for part in self.parts:
            steps += [] if _draws(part) else [(part, z)]
            z = part(z)
        for step, given in steps:
            once = step(given.clone()).clone()  # a step may overwrite what it is given, or gave
            if not torch.equal(once, step(given.clone())):
                raise ConfigError(
                    f"expected a channel that says what noise it draws, but {type(step).__name__} "
                    "gives two results for one input; derive it from mixcon.channels.Channel, and "
                    "let its transform take the noise"
                )


def _draws(part: nn.Module) -> Distribution | None:
    """What a channel draws; a module of someone's own that says nothing draws nothing."""
    return getattr(part, "draws", None)


def edge_onnx(half: EdgeHalf, x: Tensor, z: Tensor) -> bytes:
    """The encoder with its channel: inputs ``x``, ``noise_0``, ..., output ``z``.

    Args:
        half: in evaluation mode.
        x: two or more example inputs, (N, ...).
        z: as many representations, for their shape.
    """
    noise = tuple(z.new_zeros(shape) for shape in half.noise_shapes(x))
    names = ["x", *(f"noise_{i}" for i in range(len(noise)))]
    return module_to_onnx(half, (x, *noise), names, "z")


def head_onnx(head: nn.Module, z: Tensor) -> bytes:
    """The head: input ``z``, output ``logits``."""
    return module_to_onnx(head, (z,), ["z"], "logits")
