"""An inverse network, trained on the attacker's own inputs and what is released of them."""

from __future__ import annotations

from dataclasses import dataclass

from mixcon.attacks._fitting import Pairs, fit_decoder, own_samples
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

    def _fit(self, knowledge: Query, on_step: OnStep) -> Run:
        samples = own_samples(knowledge)
        pairs = Pairs(samples, lambda index: knowledge.query(samples[index]))
        network = fit_decoder(pairs, knowledge.box, self, on_step)
        return lambda z, _: network(z)
