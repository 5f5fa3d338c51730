"""Two attacks of different kinds, averaged: each errs in its own way."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.attacks.decoder import Decoder
from mixcon.attacks.posterior import Posterior

__all__ = ["Averaged"]


@dataclass(frozen=True)
class Averaged(Attack[WhiteBox]):
    """The mean of what `decoder` and `posterior` put forward.

    Where z says little, both are estimates of the same image with different errors. They are
    fitted once for all attacks of an audit, so this one costs next to nothing beside them.

        ( D(z) + P(z) ) / 2,   D of `decoder`, P of `posterior`

    Attributes:
        decoder_steps: training steps of the decoder.
        posterior_steps: of the posterior's search.
        likely: so many of the likeliest samples the posterior decides by.

    Source: mixcon's own; averages of estimators that err differently are those of Perrone and
    Cooper, When Networks Disagree, 1993.

    Cost: next to nothing where its members were fitted in the same audit, else both of them.
    """

    name = "averaged"
    needs = WhiteBox
    needs_auxiliary = True
    fitting = 0.9
    family = "mixed"

    decoder_steps: int = Decoder.steps
    posterior_steps: int = Posterior.steps
    likely: int = Posterior.likely

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        members: tuple[Attack[WhiteBox] | Decoder, ...] = (
            Decoder(steps=self.decoder_steps),
            Posterior(steps=self.posterior_steps, likely=self.likely),
        )
        runs = [member.fit_run(knowledge, on_step) for member in members]

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            first, second = (run(z, on_step) for run in runs)
            return (first + second) / 2

        return run
