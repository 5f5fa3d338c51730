"""A second-order white-box attack: Levenberg-Marquardt in the coordinates of a Gaussian prior."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from math import sqrt
from typing import Self

import torch
from torch import Tensor

from mixcon._clamp import clamp
from mixcon._clock import each_step
from mixcon._fused import without_fused_kernels
from mixcon.attacks._principal import principal
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen

__all__ = ["GaussNewton"]

_LEAST = 1e-4  # variance, in units of the box, that the prior leaves to every direction
_OUTSIDE = 1e-2  # weight of what lies outside of the box
_DENSE = 4096  # numbers of an input up to which the whole covariance is kept
_DIRECTIONS, _ROWS = 256, 2048  # of larger inputs; from so many samples
_TRUST, _DISTRUST = 0.25, 8.0  # what damping is multiplied by after a good and a bad step

Residuals = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class GaussNewton(Attack[WhiteBox]):
    """Damped Gauss-Newton steps, each solved by conjugate gradients, without a Jacobian in memory.

    Inputs are x = m + L u, with mean m and covariance L L^T of the auxiliary samples (without any,
    those of the box), and the relative squared error plus `prior` times |u|^2 is minimized: the
    most probable input under a Gaussian prior and Gaussian noise of variance prior * |z|^2. For a
    noisy linear encoder that is exact after one step. Each sample has a damping of its own. Of
    inputs of more than 4,096 numbers it looks along the 256 principal directions alone.

        min over u of  |h(m + L u) - z|^2 / |z|^2 + prior |u|^2

    Attributes:
        steps: damped Gauss-Newton steps.
        inner: conjugate gradient iterations in each.
        prior: weight of the prior.
        draws: of a stochastic channel at each evaluation.

    Source: Nocedal and Wright, Numerical Optimization, chapters 7 and 10.

    Cost: steps (2 inner + 3) passes of the encoder, in float64 if it can.
    """

    name = "gauss-newton"
    needs = WhiteBox
    batch = 128

    steps: int = 30
    inner: int = 10
    prior: float = 1e-6
    draws: int = 16

    def candidates(self) -> Sequence[Self]:
        """Stronger priors, for noise in z."""
        return tuple(replace(self, prior=self.prior * 10**k) for k in range(5))

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        # Conjugate gradients on a nearly singular system want the digits, where they can be had.
        doubled = _doubled(knowledge)
        known = doubled or knowledge
        mean, root = _prior(knowledge)

        def run(single: Tensor, on_step: OnStep) -> Tensor:
            z = single.double() if doubled else single
            release = known.expected(z, self.draws)
            scale = z.flatten(1).norm(dim=1, keepdim=True).clamp_min(torch.finfo(z.dtype).tiny)

            def inputs(u: Tensor) -> tuple[Tensor, Tensor]:
                free = mean.to(u) + u @ root.to(u).mT
                return free, clamp(free, *knowledge.box) if knowledge.box else free

            def residuals(u: Tensor) -> Tensor:
                free, inside = inputs(u)
                error = (release(inside.view(-1, *knowledge.shape)) - z).flatten(1) / scale
                return torch.cat([error, _OUTSIDE * (free - inside), sqrt(self.prior) * u], 1)

            with frozen(known.encoder), without_fused_kernels():
                u = self._minimize(residuals, z.new_zeros(len(z), root.shape[1]), on_step)
            return inputs(u)[1].view(-1, *knowledge.shape).to(single)

        return run

    @torch.no_grad()
    def _minimize(self, residuals: Residuals, u: Tensor, on_step: OnStep) -> Tensor:
        damping = u.new_full((len(u), 1), 1e-2 * self.prior)
        local = _Linearized(residuals, u)
        for _ in each_step(self.steps, on_step):
            trial = u + self._solve(local, damping)
            better = _square(residuals(trial)) < _square(local.error)
            u = torch.where(better, trial, u)
            damping = torch.where(better, damping * _TRUST, damping * _DISTRUST)
            local = _Linearized(residuals, u)
        return u

    def _solve(self, local: _Linearized, damping: Tensor) -> Tensor:
        """(J^T J + damping) move = -J^T error, by conjugate gradients for each sample."""
        rest = -local.pull(local.error)
        move, direction, size = torch.zeros_like(rest), rest, _square(rest)
        tiny = torch.finfo(rest.dtype).tiny
        for _ in range(self.inner):
            curved = local.pull(local.push(direction)) + damping * direction
            length = size / (direction * curved).sum(1, keepdim=True).clamp_min(tiny)
            move, rest = move + length * direction, rest - length * curved
            size, before = _square(rest), size
            direction = rest + size / before.clamp_min(tiny) * direction
        return move


def _doubled(knowledge: WhiteBox) -> WhiteBox | None:
    """The device in float64; None of one that holds on to another type, or cannot be copied."""
    try:
        device = deepcopy(knowledge.encoder).double()
        with frozen(device), torch.no_grad():
            device(knowledge.taught[:1].new_zeros((1, *knowledge.shape), dtype=torch.float64))
    except RuntimeError:
        return None
    return WhiteBox.of(device.encoder, device.channel, shape=knowledge.shape, box=knowledge.box)


class _Linearized:
    """Residuals at u and products with their Jacobian J, which is never formed.

    J^T w is linear in w, so its own derivative by w is J: both products reuse one forward pass.
    """

    def __init__(self, residuals: Residuals, u: Tensor) -> None:
        with torch.enable_grad():
            self._u = u.detach().requires_grad_()
            self._value = residuals(self._u)
            self._weights = torch.zeros_like(self._value, requires_grad=True)
            (self._pulled,) = torch.autograd.grad(
                self._value, self._u, self._weights, create_graph=True
            )
        self.error = self._value.detach()

    def pull(self, weights: Tensor) -> Tensor:
        """J^T weights."""
        return torch.autograd.grad(self._value, self._u, weights, retain_graph=True)[0]

    def push(self, direction: Tensor) -> Tensor:
        """J direction."""
        return torch.autograd.grad(self._pulled, self._weights, direction, retain_graph=True)[0]


def _square(rows: Tensor) -> Tensor:
    return rows.square().sum(1, keepdim=True)


def _prior(knowledge: WhiteBox) -> tuple[Tensor, Tensor]:
    """Mean, (d,), and a root of the covariance, (d, k), of the inputs; of large ones k < d."""
    low, high = knowledge.box or (-1.0, 1.0)
    least = _LEAST * (high - low) ** 2
    rows = knowledge.taught.flatten(1)
    if len(rows) < 2:  # too few to vary
        size = torch.Size(knowledge.shape).numel()
        directions = torch.eye(size, min(size, _DENSE))
        return torch.full((size,), (low + high) / 2), (high - low) / 2 * directions
    if rows.shape[1] > _DENSE:
        return principal(rows[:_ROWS], _DIRECTIONS, least)
    values, vectors = torch.linalg.eigh(torch.cov(rows.mT).double())
    return rows.mean(0), (vectors * (values.clamp_min(0) + least).sqrt()).to(rows)
