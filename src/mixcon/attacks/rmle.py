"""The box-constrained white-box attack: Adam on a scale-free residual."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mixcon.attacks.base import Attack, OnStep, WhiteBox
from mixcon.attacks.descent import descend

__all__ = ["Rmle"]


@dataclass(frozen=True)
class Rmle(Attack[WhiteBox]):
    """Adam on the relative squared error of the representation, clamped to the box at each step.

    Adam divides by the size of the gradient, so a contracted representation does not slow it down.
    It starts from the middle of the box, or from zero without one.

    Attributes:
        lr: learning rate of Adam, in units of the box.
        steps: number of steps.
    """

    name = "rmle"
    needs = WhiteBox

    lr: float = 0.05
    steps: int = 1000

    def _fit(self, knowledge: WhiteBox) -> Callable[[Tensor, OnStep], Tensor]:
        low, high = knowledge.box or (-0.5, 0.5)
        optimizer = partial(torch.optim.Adam, lr=self.lr * (high - low))

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            scale = z.flatten(1).square().sum(1).clamp_min(torch.finfo(z.dtype).tiny)

            def loss(guess: Tensor, _: Tensor) -> Tensor:
                return (guess - z).flatten(1).square().sum(1) / scale

            middle = (low + high) / 2
            start = torch.full((len(z), *knowledge.shape), middle, dtype=z.dtype, device=z.device)
            return descend(
                knowledge.encoder,
                loss,
                start,
                optimizer,
                self.steps,
                box=knowledge.box,
                on_step=on_step,
            )

        return run
