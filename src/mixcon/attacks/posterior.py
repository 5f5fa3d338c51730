"""The posterior over the attacker's own samples, and the best answer by it; nothing is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixcon._memory import at_once
from mixcon.attacks._fitting import taught_samples
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen
from mixcon.attacks.prototypes import best_answer
from mixcon.channels import Channel, parts
from mixcon.channels.base import Repeated

__all__ = ["Posterior", "likelihood"]

_NUMBERS = 2**26  # of all references' representations: 256 MiB
_AT_ONCE = 500
_DRAWS = 16  # of noise whose law is not known
_NEIGHBORS = 8  # decide how far a release without noise reaches
_REACH = 32  # so many of the nearest count, and those that are as near, as all of a cell are

Likelihood = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Posterior(Attack[WhiteBox]):
    """How likely each of the attacker's own samples is, given z; then the best single answer.

    With the samples as prior and the channel's noise known, their likelihoods are exact, so this
    is the best that anybody can do who knows no more of inputs than these samples. Where z is
    discrete, the likely ones are those of the same cell; where it is neither noisy nor discrete,
    the 32 nearest count. The answer is the one that is best for the metric: the image of largest
    expected SSIM for images, the sequence of largest expected cosine, the mean for vectors.

        max over a of  sum_i w_i likeness(a, x_i),   w_i = p(z | x_i) / sum_j p(z | x_j)

    Attributes:
        references: so many of the attacker's samples are weighed, but for those held out.
        likely: so many of the likeliest are kept for the decision.
        steps: of the search for the image of largest expected SSIM.

    Source: mixcon's own: Bayes' rule with the attacker's samples as prior, and the answer of
    largest expected likeness (Berger, Statistical Decision Theory and Bayesian Analysis, 1985).

    Cost: one pass of all samples through the device; a distance to each of them and a search of
    `steps` over the likeliest for each victim.
    """

    name = "posterior"
    needs = WhiteBox
    needs_auxiliary = True
    fitting = 0.3
    family = "posterior"

    references: int = 30_000
    likely: int = 128
    steps: int = 60

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        samples = taught_samples(knowledge)[: self.references]
        weigh, count = likelihood(knowledge, samples, on_step)
        samples = samples[:count]

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            most = min(self.likely, len(samples))
            found = weigh(z).topk(most, dim=1)
            weights = torch.softmax(found.values, 1).to(samples)
            return best_answer(
                samples, found.indices, weights, knowledge, steps=self.steps, on_step=on_step
            )

        return run


def likelihood(knowledge: WhiteBox, samples: Tensor, on_step: OnStep) -> tuple[Likelihood, int]:
    """A function from z to log-likelihoods, (N, ...) to (N, M), and M, how many were weighed."""
    before, noisy = _before_noise(knowledge.encoder.channel)
    device = nn.Sequential(knowledge.encoder.encoder, *before)
    with frozen(device), torch.no_grad():
        size = device(samples[:1]).numel()
        count = min(len(samples), max(1, _NUMBERS // size))
        pieces = samples[:count].split(at_once(_AT_ONCE, knowledge.shape))
        noiseless = []
        for done, piece in enumerate(pieces, 1):
            noiseless.append(device(piece))
            on_step(done / len(pieces))
    centers = torch.cat(noiseless)
    if noisy is not None:
        return lambda z: noisy.log_likelihood(z, centers), count
    return lambda z: _nearness(z, centers), count


def _before_noise(channel: nn.Module) -> tuple[list[nn.Module], Channel | None]:
    """The parts whose output the noise falls on, and the noise, if its law is known.

    Rounding that follows the noise is left out: z is then taken for what it was rounded from.
    Where no law is known, noise that is added is left out, and any other is averaged.
    """
    every = list(parts(channel))
    drawing = [place for place, part in enumerate(every) if getattr(part, "draws", None)]
    if not drawing:
        return every, None
    last = drawing[-1]
    noise = every[last]
    rounded = all(getattr(part, "levels", None) for part in every[last + 1 :])
    if rounded and isinstance(noise, Channel) and noise.has_likelihood:
        return every[:last], noise
    calm = [
        Repeated(part, _DRAWS) if place in drawing else part
        for place, part in enumerate(every)
        if place not in drawing or getattr(part, "noise_scale", None) is None
    ]
    return calm, None


def _nearness(z: Tensor, centers: Tensor) -> Tensor:
    """Of a release without noise: minus the squared distance, in units of the neighbors' own."""
    squared = torch.cdist(z.flatten(1).double(), centers.flatten(1).double()).square()
    near = squared.topk(min(_REACH, squared.shape[1]), dim=1, largest=False).values
    tiny = torch.finfo(torch.float64).tiny
    scale = 2 * near[:, :_NEIGHBORS].mean(1, keepdim=True).clamp_min(tiny)
    return (-squared / scale).masked_fill(squared > near[:, -1:], -torch.inf)
