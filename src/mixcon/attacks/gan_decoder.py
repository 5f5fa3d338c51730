"""The paper's attack with a generative adversarial network (Eq. 7, section D.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.attacks._fitting import InverseNetwork, Pairs, keep_best, own_samples
from mixcon.attacks._networks import discriminator
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen
from mixcon.kinds import Kind

__all__ = ["GanDecoder", "discriminator_loss", "generator_loss"]


@dataclass(frozen=True)
class GanDecoder(Attack[WhiteBox]):
    """A generator from z to images that must please a discriminator and give z back.

    The two are updated in turn. As in `decoder`, z is standardized and released anew for every
    batch, and the state that does best on held-out samples of the attacker's own is kept. The
    paper trains for 50 epochs: on CIFAR-10, 19,500 steps.

        G:  min  - log D(G(z)) + xi |x - G(z)| + xi |z - h(G(z))|
        D:  min  - log D(x) - log(1 - D(G(z)))

    Attributes:
        steps: number of updates of each network.
        batch_size: samples per step.
        lr: learning rate of Adam; its first moment decays by 0.5, as DCGAN does.
        xi: weight of the errors of images and representations beside realness.

    Source: Li et al., MixCon, Eq. 7 with its signs put right, and Appendix D.2.

    Cost: steps updates of generator and discriminator, with the encoder inside of each.
    """

    name = "gan-decoder"
    family = "learned"
    needs = WhiteBox
    inputs = frozenset({Kind.IMAGE})
    needs_auxiliary = True
    fitting = 0.95

    steps: int = 1000
    batch_size: int = 128
    lr: float = 2e-3
    xi: float = 10.0

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        samples = own_samples(knowledge)
        pairs = Pairs(samples, lambda index: knowledge.query(samples[index]))
        generator = InverseNetwork(*pairs.moments(), knowledge.box)
        judge = discriminator(knowledge.shape).to(samples)
        adam = [self._adam(network) for network in (judge, generator)]

        def update() -> None:
            z, x = pairs.draw(self.batch_size)
            found = generator(z)
            _step(adam[0], discriminator_loss(judge(x), judge(found.detach())))
            again = knowledge.encoder(found)
            _step(adam[1], generator_loss(judge(found), found, x, again, z, self.xi))

        with frozen(knowledge.encoder):
            network = keep_best(generator, update, pairs, self.steps, on_step)
        return lambda z, _: network(z)

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(network.parameters(), self.lr, betas=(0.5, 0.999), fused=True)


def _step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))), a mean over the batch, from logits, (N, 1) each."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(
    fake: Tensor, found: Tensor, x: Tensor, again: Tensor, z: Tensor, xi: float
) -> Tensor:
    """-log D(G(z)) + xi |x - G(z)| + xi |z - h(G(z))|, a mean over the batch.

    The norms are means over the numbers of an image and of a representation, so that xi does not
    depend on their sizes. The realness is the non-saturating form of the standard GAN.

    Args:
        fake: logits of the discriminator for G(z), (N, 1).
        found: G(z), (N, C, H, W).
        x: the images that it should be, (N, C, H, W).
        again: h(G(z)), (N, ...).
        z: representations, (N, ...).
        xi: weight of the two errors.
    """
    return F.softplus(-fake).mean() + xi * (F.l1_loss(found, x) + F.l1_loss(again, z))
