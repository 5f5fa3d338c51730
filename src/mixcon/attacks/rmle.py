"""The box-constrained white-box attack: Adam on a scale-free residual."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.attacks.descent import descend, total_variation

__all__ = ["Rmle"]


@dataclass(frozen=True)
class Rmle(Attack[WhiteBox]):
    """Adam on the relative squared error of the representation, clamped to the box at each step.

    Adam divides by the size of the gradient, so a contracted representation does not slow it down.
    It starts from the middle of the box, or from zero without one. A little total variation
    decides what the representation leaves open; large steps leave the kinks of max pooling behind.

    Attributes:
        lr: learning rate of Adam, in units of the box.
        steps: number of steps.
        tv: weight of the total variation of images; vectors have none.
    """

    name = "rmle"
    needs = WhiteBox

    lr: float = 0.1
    steps: int = 1000
    tv: float = 3e-6

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        low, high = knowledge.box or (-0.5, 0.5)
        tv = self.tv if knowledge.is_image else 0.0
        optimizer = partial(torch.optim.Adam, lr=self.lr * (high - low))

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            scale = z.flatten(1).square().sum(1).clamp_min(torch.finfo(z.dtype).tiny)

            def loss(guess: Tensor, image: Tensor) -> Tensor:
                residual = (guess - z).flatten(1).square().sum(1) / scale
                return residual + tv * total_variation(image) if tv else residual

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
