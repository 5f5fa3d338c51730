"""Barriers: the scalar functions that let representations come close, but not meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mixcon.errors import ConfigError

__all__ = ["BARRIERS", "Barrier"]

BarrierFunction = Callable[[Tensor, float], Tensor]


@dataclass(frozen=True)
class Barrier:
    """A convex function of a squared distance d that is infinite at d = 0 and at d = infinity.

    This is the condition that the paper puts on `d + beta / d` (section 3.2). Every barrier here
    rests (has its minimum) at d = sqrt(beta), so that beta means the same for all of them; with
    beta = 0 the repulsion is gone and the barrier is d itself.

    Attributes:
        name: what to call it.
        value: maps (d, beta) to the penalty, elementwise.
        slope: maps (d, beta) to the derivative of `value` by d, elementwise.
    """

    name: str
    value: BarrierFunction
    slope: BarrierFunction

    def check(self, beta: float) -> None:
        """Refuse a function that breaks the paper's condition, judged on a wide float64 grid.

        Raises:
            ConfigError: not convex, bounded at one end, at rest elsewhere than at sqrt(beta), or
                `slope` is not the derivative of `value`.
        """
        rest = math.sqrt(beta)
        d = (rest * torch.logspace(-6, 6, 241, dtype=torch.float64)).requires_grad_()
        value = self.value(d, beta)
        (derivative,) = torch.autograd.grad(value.sum(), d)
        problem = _problem(self, d.detach(), derivative, beta)
        if problem:
            raise ConfigError(
                f"expected a barrier that is convex, infinite at 0 and at infinity, and lowest at "
                f"sqrt(beta) = {rest:g}, but '{self.name}' {problem}"
            )


def _problem(barrier: Barrier, d: Tensor, derivative: Tensor, beta: float) -> str | None:
    rest = math.sqrt(beta)
    if not torch.allclose(barrier.slope(d, beta), derivative, rtol=1e-6):
        return "has a slope that is not the derivative of its value"
    if (derivative.diff() < -1e-9 * derivative.abs()[1:]).any():
        return "is not convex"
    if not (derivative[d < 0.999 * rest] < 0).all() or not (derivative[d > 1.001 * rest] > 0).all():
        return "is lowest elsewhere"
    # A bounded end flattens out: each further stretch of the same ratio then adds less and less.
    for sign, end in ((-1, "0"), (1, "infinity")):
        far = rest * torch.tensor([10.0 ** (sign * k) for k in (20, 40, 60)], dtype=torch.float64)
        near, further = barrier.value(far, beta).diff()
        if not further >= near * 0.999 > 0:
            return f"stays finite at {end}"
    return None


BARRIERS = {
    barrier.name: barrier
    for barrier in (
        Barrier(
            "reciprocal",  # Eq. 1: d + beta / d
            lambda d, beta: d + beta / d,
            lambda d, beta: 1 - beta / d.square(),
        ),
        Barrier(
            "logarithmic",  # gentler near 0: d - sqrt(beta) log d
            lambda d, beta: d - math.sqrt(beta) * d.log(),
            lambda d, beta: 1 - math.sqrt(beta) / d,
        ),
        Barrier(
            "inverse-square",  # steeper near 0: d + beta^(3/2) / (2 d^2)
            lambda d, beta: d + beta**1.5 / (2 * d.square()),
            lambda d, beta: 1 - beta**1.5 / d**3,
        ),
    )
}
