"""Neither weights nor queries: a shadow encoder that the head understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.attacks._fitting import InverseNetwork, Pairs, fit_decoder, own_samples
from mixcon.attacks._strangers import shadow_encoder
from mixcon.attacks.base import Attack, Knowledge, OnStep, Run, frozen
from mixcon.errors import KnowledgeError

__all__ = ["QueryFree"]


@dataclass(frozen=True)
class QueryFree(Attack[Knowledge]):
    """Encoders of the attacker's own, trained until the cloud's head classifies what they release.

    A decoder of such shadows then inverts the real one, as far as the head decides what z means.
    Several shadows stand for what the head leaves open: the decoder learns what they agree on.
    Before training, the attacker looks at the shape of z, and whether any number is negative.

    Attributes:
        shadows: number of shadow encoders.
        steps: training steps of the decoder, and of all shadows together.
        batch_size: samples per step.
        lr: highest learning rate of AdamW under a one-cycle schedule, for the decoder; the
            constant one of Adam for the shadows.

    Source: He et al., ACSAC 2019, section 6, with a single shadow.
    """

    name = "query-free"
    needs = Knowledge
    needs_auxiliary = True
    needs_head = True

    shadows: int = 4
    steps: int = 1000
    batch_size: int = 128
    lr: float = 5e-3

    def _fit(self, knowledge: Knowledge, on_step: OnStep) -> Run:
        fitted: list[InverseNetwork] = []

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            if not fitted:
                fitted.append(self._decoder(knowledge, z, on_step))
            return cast(Tensor, fitted[0](z))

        return run

    def _decoder(self, knowledge: Knowledge, z: Tensor, on_step: OnStep) -> InverseNetwork:
        samples, shadows = own_samples(knowledge), []
        for done in range(self.shadows):

            def report(share: float, done: int = done) -> None:
                on_step((done + share) / (2 * self.shadows))

            shadows.append(self._shadow(knowledge, z, report))

        def release(index: Tensor) -> Tensor:
            parts = samples[index].chunk(self.shadows)
            with torch.no_grad():
                return torch.cat([shadow(x) for shadow, x in zip(shadows, parts, strict=False)])

        pairs = Pairs(samples, release)
        return fit_decoder(pairs, knowledge.box, self, lambda share: on_step((1 + share) / 2))

    def _shadow(self, knowledge: Knowledge, z: Tensor, on_step: OnStep) -> nn.Module:
        own, head = knowledge.auxiliary, knowledge.head
        if own is None or head is None:
            raise KnowledgeError(f"{self.name}: expected auxiliary samples and the head")
        rectified = bool((z >= 0).all())
        shadow = shadow_encoder(knowledge.shape, tuple(z.shape[1:]), rectified=rectified).to(z)
        adam = torch.optim.Adam(shadow.parameters(), self.lr)
        steps = -(-self.steps // self.shadows)
        with frozen(head), torch.enable_grad():
            for step in range(1, steps + 1):
                index = torch.randint(len(own), (self.batch_size,))
                adam.zero_grad()
                F.cross_entropy(head(shadow(own.inputs[index])), own.labels[index]).backward()
                adam.step()
                on_step(step / steps)
        return shadow.eval()
