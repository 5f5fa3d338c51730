"""Adam on the inputs, with a loss and an end of its own for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixcon._clock import each_step
from mixcon.attacks.base import OnStep, frozen

__all__ = ["Loss", "minimize"]

Loss = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""Maps representations, inputs, their positions in the batch, and the share of steps done to one
loss a sample, (N,)."""

_MOMENTUM, _MEMORY = 0.9, 0.999  # as Kingma and Ba
_FLAT = 0.7  # share of the steps before the learning rate falls, linearly to nothing
_LOOK = 50  # so often converged samples are put aside


@dataclass
class _Active:
    """The samples still at work: their positions in the batch, and Adam's state of each."""

    rows: Tensor
    inputs: Tensor
    first: Tensor
    second: Tensor

    def keep(self, chosen: Tensor) -> _Active:
        parts = (self.rows, self.inputs, self.first, self.second)
        return _Active(*(part[chosen] for part in parts))


def minimize(
    module: nn.Module,
    release: Callable[[Tensor], Tensor],
    loss: Loss,
    start: Tensor,
    *,
    lr: float,
    steps: int,
    box: tuple[float, float] | None = None,
    converged: float = 0.0,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """Change inputs until their representations fit; samples do not influence each other.

    Args:
        module: what is frozen meanwhile.
        release: maps inputs, (N, *shape), to representations, through that module.
        loss: what to minimize, sample by sample.
        start: the first inputs, (N, *shape).
        lr: learning rate; for the last 30 % of the steps it falls to nothing.
        steps: number of steps.
        box: clamp to it after every step.
        converged: a sample whose loss falls below this is finished.
        on_step: told about progress.
    """
    found = start.clone()
    zeros = torch.zeros_like(start)
    active = _Active(torch.arange(len(start), device=start.device), found, zeros, zeros.clone())
    with frozen(module), torch.enable_grad():
        for step in each_step(steps, on_step):
            inputs = active.inputs.detach().requires_grad_()
            losses = loss(release(inputs), inputs, active.rows, step / steps)
            (gradient,) = torch.autograd.grad(losses.sum(), inputs)
            active.inputs = _moved(active, gradient, step, lr * _rate(step / steps))
            if box:
                active.inputs.clamp_(*box)
            if step % _LOOK == 0 and (losses < converged).any():
                found[active.rows] = active.inputs
                active = active.keep(losses >= converged)
                if not len(active.rows):
                    break
    found[active.rows] = active.inputs
    return found.detach()


def _rate(share: float) -> float:
    return min(1.0, (1 - share) / (1 - _FLAT) + 1e-3)


@torch.no_grad()
def _moved(active: _Active, gradient: Tensor, step: int, lr: float) -> Tensor:
    active.first.lerp_(gradient, 1 - _MOMENTUM)
    active.second.mul_(_MEMORY).addcmul_(gradient, gradient, value=1 - _MEMORY)
    # The least number that is no denormal: what divides may be as small as a gradient gets.
    root = (active.second / (1 - _MEMORY**step)).sqrt_().add_(1e-12)
    return active.inputs - lr / (1 - _MOMENTUM**step) * active.first / root
