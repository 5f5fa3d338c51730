"""The decoder's reconstruction as the start of the box-constrained white-box attack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from mixcon.attacks._adam import minimize
from mixcon.attacks._descent import total_variation
from mixcon.attacks._residuals import ResidualName, residual
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox
from mixcon.attacks.decoder import Decoder
from mixcon.kinds import Kind

__all__ = ["Refined"]


@dataclass(frozen=True)
class Refined(Attack[WhiteBox]):
    """`decoder`, then Adam from what it found: what the decoder learned, and what z says besides.

    An anchor holds the input near the decoder's reconstruction, which stands for all that inputs
    have in common: without noise it may be weak, with noise it is what keeps the attack from
    fitting the noise.

        min over x in the box of  r(E h(x), z) + anchor |x - D(z)|^2 / d,   from x = D(z)

    Attributes:
        lr: learning rate of Adam, in units of the box.
        steps: number of steps.
        tv: weight of the total variation of images at the start; in the end it is 0.
        anchor: weight of the mean squared distance from the decoder's reconstruction.
        residual: what is minimized, see `residuals`.
        draws: of a stochastic channel at each step.
        decoder_steps: training steps of the decoder.

    Source: mixcon's own: `rmle` started from `decoder`.

    Cost: steps forward and backward passes of the encoder behind those of `decoder`; five anchors
    are tried on 16 samples first.
    """

    name = "refined"
    family = "mixed"
    needs = WhiteBox
    needs_auxiliary = True
    fitting = 0.5

    lr: float = 0.05
    steps: int = 500
    tv: float = 1e-5
    anchor: float = 0.0
    residual: ResidualName = "relative"
    draws: int = 16
    decoder_steps: int = Decoder.steps

    def candidates(self) -> Sequence[Self]:
        """Anchors from none to one that hardly lets the decoder's reconstruction go."""
        weights = (0.0, 1e-2, 1.0, 30.0, 1000.0)
        return tuple(replace(self, anchor=weight) for weight in weights)

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        low, high = knowledge.box or (-0.5, 0.5)
        tv = self.tv if knowledge.kind is Kind.IMAGE else 0.0
        decode = Decoder(steps=self.decoder_steps).fit_run(knowledge, on_step)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            first = decode(z, lambda _: None)
            first = first.clamp(low, high) if knowledge.box else first
            distance = residual(self.residual, z, knowledge)

            def loss(guess: Tensor, image: Tensor, rows: Tensor, share: float) -> Tensor:
                fit = distance(guess, rows)
                if self.anchor:
                    away = (image - first[rows]).flatten(1) / (high - low)
                    fit = fit + self.anchor * away.square().mean(1)
                return fit + (1 - share) * tv * total_variation(image) if tv else fit

            return minimize(
                knowledge.encoder,
                knowledge.expected(z, self.draws),
                loss,
                first,
                lr=self.lr * (high - low),
                steps=self.steps,
                box=knowledge.box,
                on_step=on_step,
            )

        return run
