"""The paper's attack on vectors: L1 residual by plain SGD (C.1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from mixcon.attacks._descent import descend
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.kinds import Kind

__all__ = ["RmlePaperVector"]


@dataclass(frozen=True)
class RmlePaperVector(Attack[WhiteBox]):
    """The inversion of the paper's synthetic experiment: SGD on the L1 distance.

        min over x of  |h(x) - z|_1

    The paper does not say where it starts, nor whether the distance is averaged over the numbers
    of z. Its Table 2 comes out with starts drawn from N(0, 1) and the average: with steps of a
    fixed size the result then stays near the start. From zero the attack is stronger.

    Attributes:
        lr: learning rate of SGD.
        steps: number of steps.
        weight_decay: weight decay of SGD.
        start: ``zero``, or ``normal``: drawn from N(0, 1), the same for every batch.
        averaged: take the mean over the numbers of z, not the sum.

    Source: Li et al., MixCon, Appendix C.1.

    Cost: steps forward and backward passes of the encoder.
    """

    name = "rmle-paper-vector"
    needs = WhiteBox
    inputs = frozenset({Kind.VECTOR})

    lr: float = 0.01
    steps: int = 500
    weight_decay: float = 1e-4
    start: Literal["zero", "normal"] = "zero"
    averaged: bool = False

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        optimizer = partial(torch.optim.SGD, lr=self.lr, weight_decay=self.weight_decay)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            def loss(guess: Tensor, _: Tensor) -> Tensor:
                gaps = (guess - z).abs().flatten(1)
                return gaps.mean(1) if self.averaged else gaps.sum(1)

            start = self._start((len(z), *knowledge.shape)).to(z)
            return descend(knowledge.encoder, loss, start, optimizer, self.steps, on_step=on_step)

        return run

    def _start(self, shape: tuple[int, ...]) -> Tensor:
        if self.start == "zero":
            return torch.zeros(shape)
        return torch.randn(shape, generator=torch.Generator().manual_seed(0))
