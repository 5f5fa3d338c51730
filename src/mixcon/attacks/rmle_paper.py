"""The paper's attack on images: Eq. 3 by plain SGD (section 4.3, C.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mixcon.attacks._descent import descend, stretched, total_variation, unit
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.kinds import Kind

__all__ = ["RmlePaper"]


@dataclass(frozen=True)
class RmlePaper(Attack[WhiteBox]):
    """Regularized maximum likelihood as the paper ran it, in the reading that gives its Table 3.

    Mean squared error between unit-normalized representations plus total variation, SGD from a
    black image, no box; at the end each image is stretched to [0, 1] by its own minimum and
    maximum. The steps are of fixed size, so a contracted representation, whose residuals are
    small, slows the attack down: it understates what leaks.

        min over x of  mean (h(x) / |h(x)| - z / |z|)^2 + tv TV(x)

    Attributes:
        lr: learning rate of SGD.
        steps: number of steps.
        weight_decay: weight decay of SGD.
        tv: weight of the total variation; the paper has 1e-5 for MNIST and Fashion-MNIST, 0.01
            for SVHN.

    Source: Li et al., MixCon, Eq. 3 and Appendix C.2.

    Cost: steps forward and backward passes of the encoder.
    """

    name = "rmle-paper"
    needs = WhiteBox
    inputs = frozenset({Kind.IMAGE})

    lr: float = 10.0
    steps: int = 500
    weight_decay: float = 1e-4
    tv: float = 1e-5

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        optimizer = partial(torch.optim.SGD, lr=self.lr, weight_decay=self.weight_decay)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            target = unit(z)

            def loss(guess: Tensor, image: Tensor) -> Tensor:
                return (unit(guess) - target).square().mean(1) + self.tv * total_variation(image)

            start = torch.zeros(len(z), *knowledge.shape, dtype=z.dtype, device=z.device)
            images = descend(knowledge.encoder, loss, start, optimizer, self.steps, on_step=on_step)
            return stretched(images)

        return run
