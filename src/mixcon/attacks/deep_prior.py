"""Optimization through an untrained generator: its structure is the prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.func import functional_call

from mixcon._clock import each_step
from mixcon.attacks._networks import prior_network
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen
from mixcon.kinds import Kind
from mixcon.models.decoder import into

__all__ = ["DeepPrior"]


@dataclass(frozen=True)
class DeepPrior(Attack[WhiteBox]):
    """Adam on the weights of a convolutional generator, one for each image, all in one batch.

    The generator has never seen an image. But it makes smooth and self-similar ones sooner than
    noise, which decides what the representation leaves open. All start from the same weights and
    from the same random code; the loss is the relative squared error of the representation.

        min over w of  |h(G_w(c)) - z|^2 / |z|^2,   c one fixed random code

    Attributes:
        steps: number of steps.
        lr: learning rate of Adam.

    Source: Ulyanov et al., Deep image prior, CVPR 2018; Li et al., GLASS, NeurIPS 2023.

    Cost: steps forward and backward passes of encoder and generator, with weights of its own for
    each image.
    """

    name = "deep-prior"
    needs = WhiteBox
    inputs = frozenset({Kind.IMAGE})
    batch = 128

    steps: int = 500
    lr: float = 0.01

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        generator, code = prior_network(knowledge.shape)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            generator.to(z)
            start = {name: w.detach() for name, w in generator.named_parameters()}
            weights = {k: w.expand(len(z), *w.shape).clone() for k, w in start.items()}
            free = [w.requires_grad_() for w in weights.values()]
            adam = torch.optim.Adam(free, self.lr, fused=True)
            scale = z.flatten(1).square().sum(1).clamp_min(torch.finfo(z.dtype).tiny)

            def images() -> Tensor:
                out = torch.vmap(lambda own: functional_call(generator, own, (code.to(z),)))(
                    weights
                )
                return into(knowledge.box, cast(Tensor, out).squeeze(1))

            with frozen(knowledge.encoder), torch.enable_grad():
                for _ in each_step(self.steps, on_step):
                    adam.zero_grad()
                    residual = (knowledge.encoder(images()) - z).flatten(1).square().sum(1)
                    (residual / scale).sum().backward()
                    adam.step()
            return images().detach()

        return run
