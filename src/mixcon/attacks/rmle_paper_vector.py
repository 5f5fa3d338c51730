"""The paper's attack on vectors: L1 residual by plain SGD (C.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from mixcon.attacks._descent import descend
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.kinds import Kind

__all__ = ["RmlePaperVector"]


@dataclass(frozen=True)
class RmlePaperVector(Attack[WhiteBox]):
    """The inversion of the paper's synthetic experiment: SGD on the L1 distance, from zero.

        min over x of  |h(x) - z|_1

    Attributes:
        lr: learning rate of SGD.
        steps: number of steps.
        weight_decay: weight decay of SGD.

    Source: Li et al., MixCon, Appendix C.1.

    Cost: steps forward and backward passes of the encoder.
    """

    name = "rmle-paper-vector"
    needs = WhiteBox
    inputs = frozenset({Kind.VECTOR})

    lr: float = 0.01
    steps: int = 500
    weight_decay: float = 1e-4

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        optimizer = partial(torch.optim.SGD, lr=self.lr, weight_decay=self.weight_decay)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            def loss(guess: Tensor, _: Tensor) -> Tensor:
                return (guess - z).abs().flatten(1).sum(1)

            start = torch.zeros(len(z), *knowledge.shape, dtype=z.dtype, device=z.device)
            return descend(knowledge.encoder, loss, start, optimizer, self.steps, on_step=on_step)

        return run
