"""The paper's attack on images in its several readings (section 4.3, C.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from mixcon.attacks._descent import descend, stretched, total_variation, unit

__all__ = ["RESIDUALS", "invert"]

_STEPS, _RATE, _DECAY = 500, 10.0, 1e-4  # C.2

RESIDUALS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda gap: gap.square().mean(1),
    "squared": lambda gap: gap.square().sum(1),
    "norm": lambda gap: gap.norm(dim=1),
}
"""Name to what is made of the differences, (N, m) to (N,)."""


def invert(
    encoder: nn.Module,
    z: Tensor,
    shape: tuple[int, ...],
    *,
    residual: str,
    tv: float,
    attacked: str,
    pixels: str,
    steps: int = _STEPS,
) -> Tensor:
    """Reconstructions in [0, 1], (N, *shape); one that diverges is black.

    Args:
        encoder: frozen, in evaluation mode.
        z: representations, (N, ...).
        shape: of an image.
        residual: in `RESIDUALS`.
        tv: weight of the summed total variation.
        attacked: ``normalized`` representations, or these ``as sent``.
        pixels: ``stretched`` to [0, 1] at the end, each image by its own range, or ``clamped``.
        steps: of SGD.
    """
    seen: Callable[[Tensor], Tensor] = unit if attacked == "normalized" else partial(torch.flatten, start_dim=1)  # fmt: skip  # noqa: E501
    target = seen(z)

    def loss(guess: Tensor, images: Tensor) -> Tensor:
        return RESIDUALS[residual](seen(guess) - target) + tv * total_variation(images)

    optimizer = partial(torch.optim.SGD, lr=_RATE, weight_decay=_DECAY)
    images = descend(encoder, loss, z.new_zeros(len(z), *shape), optimizer, steps)
    found = stretched(images) if pixels == "stretched" else images.clamp(0, 1)
    return found.nan_to_num(0, 0, 0)
