"""Neither weights nor queries: a shadow encoder that the head understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon._clock import each_step
from mixcon.attacks._fitting import InverseNetwork, Pairs, fit_decoder, own_samples
from mixcon.attacks._networks import shadow_encoder
from mixcon.attacks.base import Attack, Knowledge, OnStep, Run, frozen, held_out
from mixcon.errors import KnowledgeError

__all__ = ["QueryFree"]


@dataclass(frozen=True)
class QueryFree(Attack[Knowledge]):
    """Encoders of the attacker's own, trained until the cloud's head classifies what they release.

    What z means beyond that differs from shadow to shadow, so that a decoder of their
    representations fails on the real ones. What the head makes of z does carry over: the decoder
    goes from its log-probabilities to inputs, and learns from all shadows in turn. Before
    training, the attacker looks at the shape of z, and whether any number is negative.

        shadow s:  min  E CE(head(s(x)), y);   then `decoder` on  log softmax head(s(x))

    Attributes:
        shadows: number of shadow encoders.
        steps: training steps of the decoder, and of all shadows together.
        batch_size: samples per step.
        lr: highest learning rate of AdamW under a one-cycle schedule, for the decoder; the
            constant one of Adam for the shadows.

    Source: He et al., ACSAC 2019, section 6, which inverts a single shadow's representations.

    Cost: steps training steps for all shadows together and as many of the decoder; no pass of the
    device.
    """

    name = "query-free"
    family = "learned"
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
            return cast(Tensor, fitted[0](_log_probabilities(knowledge, z)))

        return run

    def _decoder(self, knowledge: Knowledge, z: Tensor, on_step: OnStep) -> InverseNetwork:
        samples, shadows = own_samples(knowledge), []
        for done in range(self.shadows):

            def report(share: float, done: int = done) -> None:
                on_step((done + share) / (2 * self.shadows))

            shadows.append(self._shadow(knowledge, z, report))

        def release(index: Tensor) -> Tensor:
            parts = zip(shadows, samples[index].chunk(self.shadows), strict=False)
            with torch.no_grad():
                return _log_probabilities(knowledge, torch.cat([shadow(x) for shadow, x in parts]))

        pairs = Pairs(samples, release)
        return fit_decoder(pairs, knowledge.box, self, lambda share: on_step((1 + share) / 2))

    def _shadow(self, knowledge: Knowledge, z: Tensor, on_step: OnStep) -> nn.Module:
        own, head = knowledge.auxiliary, _head(knowledge)
        if own is None:
            raise KnowledgeError(f"{self.name}: expected auxiliary samples, but got none")
        rectified = bool((z >= 0).all())
        shadow = shadow_encoder(knowledge.shape, tuple(z.shape[1:]), rectified=rectified).to(z)
        adam = torch.optim.Adam(shadow.parameters(), self.lr, fused=True)
        steps = -(-self.steps // self.shadows)
        with frozen(head), torch.enable_grad():
            for _ in each_step(steps, on_step):
                index = torch.randint(held_out(len(own)), len(own), (self.batch_size,))
                adam.zero_grad()
                F.cross_entropy(head(shadow(own.inputs[index])), own.labels[index]).backward()
                adam.step()
        return shadow.eval()


def _head(knowledge: Knowledge) -> nn.Module:
    if knowledge.head is None:
        raise KnowledgeError("expected the head, but got none")
    return knowledge.head


def _log_probabilities(knowledge: Knowledge, z: Tensor) -> Tensor:
    """What the head makes of representations, (N, ...): log-probabilities, (N, classes).

    Cut off where they tell only how sure a network is that something is not the case.
    """
    head = _head(knowledge)
    with frozen(head), torch.no_grad():
        return cast(Tensor, head(z)).log_softmax(1).clamp_min(-10)
