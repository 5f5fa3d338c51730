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

    This is checked when a barrier is made, once, on wide float64 grids for several beta: so make
    one outside of what `torch.compile` compiles.

    Attributes:
        name: what to call it.
        terms: maps (d, beta) to the penalty and its derivative by d, both elementwise. Beta is a
            float, or a scalar tensor where models of several betas are trained at once.

    Raises:
        ConfigError: not convex, bounded at one end, at rest elsewhere than at sqrt(beta), or a
            slope that is not the derivative of the value.
    """

    name: str
    terms: BarrierFunction

    def __post_init__(self) -> None:
        for beta in _BETAS:
            problem = _problem(self.terms, beta)
            if problem:
                raise ConfigError(
                    f"expected a barrier that is convex, infinite at 0 and at infinity, and lowest "
                    f"at sqrt(beta), but '{self.name}' {problem} for beta = {beta:g}"
                )


_BETAS = (1e-8, 1e-4, 1e-2, 1.0, 100.0)


def _problem(terms: BarrierFunction, beta: float) -> str | None:
    rest = math.sqrt(beta)
    d = rest * torch.logspace(-6, 6, 241, dtype=torch.float64, device="cpu")
    slope = terms(d, beta)[1]
    if not torch.allclose(slope, _derivative(terms, d, beta), rtol=1e-6, atol=1e-6):
        return "has a slope that is not the derivative of its value"
    if (slope.diff() < -1e-9 * slope.abs()[1:]).any():
        return "is not convex"
    if not (slope[d < 0.999 * rest] < 0).all() or not (slope[d > 1.001 * rest] > 0).all():
        return "is lowest elsewhere"
    # A bounded end flattens out: each further stretch of the same ratio then adds less and less.
    for sign, end in ((-1, "0"), (1, "infinity")):
        far = rest * d.new_tensor([10.0 ** (sign * k) for k in (20, 40, 60)])
        near, further = terms(far, beta)[0].diff()
        if not further >= near * 0.999 > 0:
            return f"stays finite at {end}"
    return None


def _derivative(terms: BarrierFunction, d: Tensor, beta: float) -> Tensor:
    """By central differences, to some ten digits: autograd is off in `torch.inference_mode`."""
    step = 1e-5 * d
    return (terms(d + step, beta)[0] - terms(d - step, beta)[0]) / (2 * step)


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
    rest = beta**0.5
    ratio = rest / d  # its powers stay in range where those of d do not
    square = ratio.square()
    return d + rest / 2 * square, 1 - ratio * square


BARRIERS = {
    barrier.name: barrier
    for barrier in (
        Barrier("reciprocal", _reciprocal),
        Barrier("logarithmic", _logarithmic),
        Barrier("inverse-square", _inverse_square),
    )
}
