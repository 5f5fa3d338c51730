"""The box-constrained white-box attack: Adam on a scale-free residual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from mixcon.attacks._adam import minimize
from mixcon.attacks._descent import total_variation
from mixcon.attacks._residuals import ResidualName, residual
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.kinds import Kind

__all__ = ["Rmle"]

_CONVERGED = 1e-8  # a relative squared error at which nothing is left to gain in float32


@dataclass(frozen=True)
class Rmle(Attack[WhiteBox]):
    """Adam on a residual without a scale of its own, clamped to the box at each step.

    Adam divides by the size of the gradient, so a contracted representation does not slow it
    down. Total variation leads the way at first, and lets go in the end: where the representation
    decides, it shall; large steps leave the kinks of max pooling behind. A stochastic channel is
    averaged over.

        min over x in the box of  r(E h(x), z) + tv TV(x),
        r = |h - z|^2 / |z|^2, or as `residual` says

    Attributes:
        lr: learning rate of Adam, in units of the box.
        steps: number of steps.
        tv: weight of the total variation of images at the start; nothing else has any.
        tv_end: its weight at the end; noise in z wants some.
        residual: what is minimized, see `residuals`.
        restarts: starts per sample: the first is the middle of the box, or zero without one, the
            others are random; the one with the least residual is kept.
        draws: of a stochastic channel at each step.

    Source: the regularized maximum likelihood of He, Zhang and Lee, ACSAC 2019, with Adam (Kingma
    and Ba, ICLR 2015); the box, the residuals and the annealing are mixcon's own.

    Cost: steps forward and backward passes of the encoder for each start; four settings are tried
    on 16 samples first.
    """

    name = "rmle"
    needs = WhiteBox

    lr: float = 0.1
    steps: int = 1000
    tv: float = 3e-5
    tv_end: float = 0.0
    residual: ResidualName = "relative"
    restarts: int = 1
    draws: int = 16

    def candidates(self) -> Sequence[Self]:
        """Other weights of the total variation, kept up to the end against noise, and residuals."""
        return (
            self,
            replace(self, tv=self.tv / 3),
            replace(self, tv=3 * self.tv, residual="whitened"),
            replace(self, tv=30 * self.tv, tv_end=30 * self.tv),
        )

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        low, high = knowledge.box or (-0.5, 0.5)
        weights = (self.tv, self.tv_end) if knowledge.kind is Kind.IMAGE else (0.0, 0.0)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            release = knowledge.expected(z, self.draws)
            distance = residual(self.residual, z, knowledge)
            middle = z.new_full((len(z), *knowledge.shape), (low + high) / 2)
            start = torch.cat([middle, *(_random(middle, low, high) for _ in self._others)])

            def loss(guess: Tensor, image: Tensor, rows: Tensor, share: float) -> Tensor:
                tv = weights[0] + share * (weights[1] - weights[0])
                fit = distance(guess, rows % len(z))
                return fit + tv * total_variation(image) if tv else fit

            found = minimize(
                knowledge.encoder,
                release,
                loss,
                start,
                lr=self.lr * (high - low),
                steps=self.steps,
                box=knowledge.box,
                converged=_CONVERGED,
                on_step=on_step,
            )
            return self._closest(found, z, knowledge)

        return run

    @property
    def _others(self) -> range:
        return range(self.restarts - 1)

    def _closest(self, found: Tensor, z: Tensor, knowledge: WhiteBox) -> Tensor:
        """Of the restarts of each sample the one whose representation fits best."""
        if self.restarts == 1:
            return found
        distance = residual("relative", z, knowledge)
        rows = torch.arange(len(found), device=z.device) % len(z)
        fits = distance(knowledge.query(found), rows).view(self.restarts, len(z))
        best = fits.nan_to_num(torch.inf).argmin(0)
        chosen: Tensor = found.unflatten(0, fits.shape)[best, rows[: len(z)]]
        return chosen


def _random(like: Tensor, low: float, high: float) -> Tensor:
    return torch.empty_like(like).uniform_(low, high)
