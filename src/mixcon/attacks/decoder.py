"""An inverse network, trained on the attacker's own inputs and what is released of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from mixcon.attacks._fitting import InverseNetwork, Pairs, fit_decoder, own_samples
from mixcon.attacks.base import Attack, OnStep, Query, Run

__all__ = ["Decoder"]


@dataclass(frozen=True)
class Decoder(Attack[Query]):
    """A decoder trained on the attacker's own samples, which the device releases at will.

    Each batch is released anew: the decoder learns the channel's noise with the rest, and to
    average over it. How small z is does not matter, only what it tells.

        min over D of  E [ 1 - SSIM(D(z), x) + 10 |D(z) - x|^2 / d ],   for images;
        min over D of  E |D(z) - x|^2 / d   for anything else

    Attributes:
        steps: number of training steps.
        batch_size: samples per step.
        lr: highest learning rate of AdamW under a one-cycle schedule.

    Source: Dosovitskiy and Brox, CVPR 2016; He et al., ACSAC 2019, section 5.

    Cost: steps batches through the device and the decoder, once for all victims; one forward pass
    for each.
    """

    name = "decoder"
    family = "learned"
    needs = Query
    needs_auxiliary = True
    fitting = 0.95

    steps: int = 2000
    batch_size: int = 128
    lr: float = 5e-3

    def network(self, knowledge: Query, on_step: OnStep = lambda _: None) -> InverseNetwork:
        """The trained network, from z, (N, ...), to inputs, (N, *shape), inside the box."""
        return fit_decoder(_pairs(knowledge), knowledge.box, self, on_step)

    def restored(self, knowledge: Query, state: Mapping[str, Tensor]) -> InverseNetwork:
        """The network of an earlier `network` out of its state."""
        z, x = _pairs(knowledge).taught(2)
        network = InverseNetwork(z, x, knowledge.box)
        network.load_state_dict(state)
        return network.eval().requires_grad_(False)

    def _fit(self, knowledge: Query, on_step: OnStep) -> Run:
        network = self.network(knowledge, on_step)
        return lambda z, _: network(z)


def _pairs(knowledge: Query) -> Pairs:
    samples = own_samples(knowledge)
    return Pairs(samples, lambda index: knowledge.query(samples[index]))
