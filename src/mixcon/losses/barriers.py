"""Barriers: the scalar functions that let representations come close, but not meet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mixcon.errors import ConfigError

__all__ = ["BARRIERS", "Barrier"]

BarrierFunction = Callable[[Tensor, Any], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Barrier:
    """A convex function of a squared distance d that is infinite at d = 0 and at d = infinity.

    This is the condition that the paper puts on `d + beta / d` (section 3.2). Every barrier here
    rests (has its minimum) at d = sqrt(beta), so that beta means the same for all of them; with
    beta = 0 the repulsion is gone and the barrier is d itself.

    Attributes:
        name: what to call it.
        terms: maps (d, beta) to the penalty and its derivative by d, both elementwise. Beta is a
            float, or a scalar tensor where models of several betas are trained at once.
    """

    name: str
    terms: BarrierFunction

    def check(self, beta: float) -> None:
        """Refuse a function that breaks the paper's condition, judged on a wide float64 grid.

        Raises:
            ConfigError: not convex, bounded at one end, at rest elsewhere than at sqrt(beta), or
                a slope that is not the derivative of the value.
        """
        rest = math.sqrt(beta)
        d = (rest * torch.logspace(-6, 6, 241, dtype=torch.float64)).requires_grad_()
        value, slope = self.terms(d, beta)
        (derivative,) = torch.autograd.grad(value.sum(), d)
        problem = _problem(self, d.detach(), slope.detach(), derivative, beta)
        if problem:
            raise ConfigError(
                f"expected a barrier that is convex, infinite at 0 and at infinity, and lowest at "
                f"sqrt(beta) = {rest:g}, but '{self.name}' {problem}"
            )


def _problem(
    barrier: Barrier, d: Tensor, slope: Tensor, derivative: Tensor, beta: float
) -> str | None:
    rest = math.sqrt(beta)
    if not torch.allclose(slope, derivative, rtol=1e-6):
        return "has a slope that is not the derivative of its value"
    if (derivative.diff() < -1e-9 * derivative.abs()[1:]).any():
        return "is not convex"
    if not (derivative[d < 0.999 * rest] < 0).all() or not (derivative[d > 1.001 * rest] > 0).all():
        return "is lowest elsewhere"
    # A bounded end flattens out: each further stretch of the same ratio then adds less and less.
    for sign, end in ((-1, "0"), (1, "infinity")):
        far = rest * torch.tensor([10.0 ** (sign * k) for k in (20, 40, 60)], dtype=torch.float64)
        near, further = barrier.terms(far, beta)[0].diff()
        if not further >= near * 0.999 > 0:
            return f"stays finite at {end}"
    return None


def _reciprocal(d: Tensor, beta: Any) -> tuple[Tensor, Tensor]:
    """Eq. 1: d + beta / d."""
    repulsion = beta / d
    return d + repulsion, 1 - repulsion / d


def _logarithmic(d: Tensor, beta: Any) -> tuple[Tensor, Tensor]:
    """Gentler near 0: d - sqrt(beta) log d."""
    rest = beta**0.5
    return d - rest * d.log(), 1 - rest / d


def _inverse_square(d: Tensor, beta: Any) -> tuple[Tensor, Tensor]:
    """Steeper near 0: d + beta^(3/2) / (2 d^2)."""
    repulsion = beta**1.5 / d.square()
    return d + repulsion / 2, 1 - repulsion / d


BARRIERS = {
    barrier.name: barrier
    for barrier in (
        Barrier("reciprocal", _reciprocal),
        Barrier("logarithmic", _logarithmic),
        Barrier("inverse-square", _inverse_square),
    )
}
