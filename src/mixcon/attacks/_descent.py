"""Gradient descent on the input, the core of the optimization attacks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mixcon._clock import each_step
from mixcon.attacks.base import OnStep, frozen

__all__ = ["descend", "stretched", "total_variation", "unit"]


def descend(
    encoder: nn.Module,
    loss: Callable[[Tensor, Tensor], Tensor],
    start: Tensor,
    optimizer: Callable[[list[Tensor]], torch.optim.Optimizer],
    steps: int,
    *,
    box: tuple[float, float] | None = None,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """Change inputs until their representations fit.

    Args:
        encoder: maps inputs, (N, ...), to representations.
        loss: maps (representations, inputs) to one loss per sample, (N,); the sum is minimized,
            so that samples do not influence each other.
        start: the first inputs.
        optimizer: makes the optimizer for them.
        steps: number of steps.
        box: clamp to it after every step.
        on_step: told about progress.
    """
    inputs = start.clone().requires_grad_()
    stepper = optimizer([inputs])
    with frozen(encoder), torch.enable_grad():
        for _ in each_step(steps, on_step):
            total = loss(encoder(inputs), inputs).sum()
            (inputs.grad,) = torch.autograd.grad(total, inputs)
            stepper.step()
            if box:
                inputs.data.clamp_(*box)
    return inputs.detach()


def unit(z: Tensor) -> Tensor:
    """Representations as rows of unit L2 norm, (N, ...) to (N, m)."""
    return nn.functional.normalize(z.flatten(1), dim=1)


def total_variation(images: Tensor) -> Tensor:
    """Isotropic total variation of each image, (N, C, H, W) to (N,).

    The sum over pixels of the length of the local gradient (paper, section 4.3 and C.2); where
    that length is 0 its own gradient is taken as 0.
    """
    down = images[..., 1:, :-1] - images[..., :-1, :-1]
    right = images[..., :-1, 1:] - images[..., :-1, :-1]
    return (down.square() + right.square() + 1e-12).sqrt().flatten(1).sum(1)


def stretched(images: Tensor) -> Tensor:
    """Each image scaled to [0, 1] by its own minimum and maximum; a flat one becomes 0."""
    low = images.amin((1, 2, 3), keepdim=True)
    high = images.amax((1, 2, 3), keepdim=True)
    return (images - low) / torch.where(high > low, high - low, 1)
