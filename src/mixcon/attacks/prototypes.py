"""Images that are like many others at once: best for expected SSIM over weighted samples."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.attacks.base import OnStep
from mixcon.metrics import ssim

__all__ = ["has_structure", "most_alike"]

_LEAST = 11  # pixels of the window of SSIM


def has_structure(shape: tuple[int, ...]) -> bool:
    """Whether samples of this shape are images that SSIM can compare."""
    return len(shape) == 3 and min(shape[-2:]) >= _LEAST


@torch.enable_grad()
def most_alike(
    start: Tensor,
    samples: Tensor,
    weights: Tensor,
    *,
    steps: int,
    lr: float = 0.03,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """For each of G guesses the image with the largest weighted SSIM to its own samples.

    The mean of images is best for the squared error and blurred; this is what an attacker puts
    forward who is judged by SSIM. Adam, from the start, inside of [0, 1].

    Args:
        start: (G, C, H, W) in [0, 1].
        samples: (G, K, C, H, W) in [0, 1].
        weights: (G, K), not negative.
        steps: of Adam.
        lr: its learning rate.
        on_step: told about progress.

    Returns:
        (G, C, H, W).
    """
    guesses = start.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([guesses], lr=lr)
    flat, weights = samples.detach().flatten(0, 1), weights.detach()
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = lr * (1 - (step - 1) / steps)
        optimizer.zero_grad()
        repeated = guesses.unsqueeze(1).expand(samples.shape).flatten(0, 1)
        likeness = ssim(repeated, flat).view(weights.shape)
        (-(weights * likeness).sum()).backward()
        optimizer.step()
        with torch.no_grad():
            guesses.clamp_(0, 1)
        on_step(step / steps)
    return guesses.detach()
