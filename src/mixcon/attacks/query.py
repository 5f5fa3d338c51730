"""A decoder that may ask the device a limited number of times."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mixcon.attacks._fitting import Pairs, fit_decoder, own_samples
from mixcon.attacks.base import Attack, OnStep, Query, Run

__all__ = ["QueryDecoder"]


@dataclass(frozen=True)
class QueryDecoder(Attack[Query]):
    """A decoder trained on so many of the attacker's own samples, each released once.

    Against `decoder` it tells what a limit on queries is worth, as a device or its owner may set.

        that of `decoder`, with the expectation over `queries` pairs (x, z)

    Attributes:
        queries: samples sent through the device, at least 2; those that choose the best state
            are among them. All that there are, if there are fewer.
        steps: number of training steps.
        batch_size: samples per step.
        lr: highest learning rate of AdamW under a one-cycle schedule.

    Source: He et al., ACSAC 2019, section 5 (the black-box attack).

    Cost: queries passes of the device, and steps of the decoder on them.
    """

    name = "query"
    family = "learned"
    needs = Query
    needs_auxiliary = True
    fitting = 0.95

    queries: int = 1000
    steps: int = 1000
    batch_size: int = 128
    lr: float = 5e-3

    def _fit(self, knowledge: Query, on_step: OnStep) -> Run:
        samples = own_samples(knowledge, self.queries)
        answers = torch.cat([knowledge.query(part) for part in samples.split(self.batch_size)])
        network = fit_decoder(Pairs(samples, answers.__getitem__), knowledge.box, self, on_step)
        return lambda z, _: network(z)
