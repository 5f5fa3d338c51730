"""Answers that are like many samples at once: best for the expected likeness of each kind."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import normalize

from mixcon.attacks.base import OnStep
from mixcon.metrics import ssim

__all__ = ["most_alike", "most_parallel"]


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


def most_parallel(samples: Tensor, weights: Tensor) -> Tensor:
    """For each of G guesses the sample with the largest weighted cosine to its own samples.

    That is the direction of the mean of unit vectors, exactly. Its length, on which no cosine
    depends, is the mean length, the shorter the less the samples agree.

    Args:
        samples: (G, K, *shape).
        weights: (G, K), not negative, each row of sum 1.

    Returns:
        (G, *shape).
    """
    flat = samples.flatten(2)
    lengths = (weights * flat.norm(dim=2)).sum(1, keepdim=True)
    direction = torch.einsum("gk,gkd->gd", weights, normalize(flat, dim=2))
    found: Tensor = lengths * direction
    return found.view(samples[:, 0].shape)
