"""Inputs that a learned generator can make, moved until they fit the representation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from mixcon._clock import time_share
from mixcon._memory import at_once
from mixcon.attacks._adam import minimize
from mixcon.attacks._autoencoder import Autoencoder, fit_autoencoder
from mixcon.attacks._fitting import own_samples
from mixcon.attacks._principal import principal
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen, held_out
from mixcon.attacks.posterior import likelihood
from mixcon.attacks.prototypes import best_for_all

__all__ = ["GenerativePrior"]

_ROWS = 8000  # of the attacker's samples say what the generator misses
_DIRECTIONS = 1024  # of a representation, at most
_SHRINK = 0.1  # share of the covariance's diagonal in it
_LEAST = 1e-3  # of the mean variance: what is hardly missed is not blown up
_RIDGES = tuple(10.0**k for k in range(6))
_APART = 0.3  # deviation of the starts, in units of a code


@dataclass(frozen=True)
class GenerativePrior(Attack[WhiteBox]):
    """The likeliest of the attacker's samples, moved to fit along a generator of inputs.

    A variational autoencoder learns from the attacker's own samples what inputs look like. How
    far the device's answers to its inputs are from those to real ones is measured on samples that
    it has not seen, noise of the channel included: a Gaussian of their covariance C is the
    likelihood. The start is a few samples that `posterior` finds the likeliest, each with its code
    corrected by a linear regression from representations to codes; then the codes are moved to
    fit z and a draw of their own. The answer is what is most like all of them: the image of
    largest expected SSIM, the sequence of largest expected cosine, the mean of anything else.

        w_k = c(x_k) + A (z - h(x_k)),   x_k the likeliest
        min over w of  |trust C^(-1/2) (E h(G(w)) - z) - n_k|^2 + |w - w_k|^2,   n_k ~ N(0, I)

    Attributes:
        steps: of Adam on the codes.
        lr: its learning rate.
        samples: so many of the likeliest are moved, for each input.
        references: so many of the attacker's samples are weighed, but for those held out.
        trust: what the misfit is multiplied by, more than 1 where the Gaussian is too wide.
        draws: of a stochastic channel at each step.
        search_steps: of the search for the image of largest expected SSIM.
        prior_steps: training steps of the generator, once for each data set.

    Source: Bora et al., Compressed sensing using generative models, ICML 2017; Li et al., GLASS,
    NeurIPS 2023 (a generator as the prior of split inference); Bardsley et al., Randomize-then-
    optimize, SIAM J. Sci. Comput. 2014 (the draws); Evensen, J. Geophys. Res. 1994 (the
    correction, of ensemble Kalman filters). The measured misfit and the start are mixcon's own.

    Cost: training of the generator, kept in the cache; steps times samples forward and backward
    passes of generator and encoder for each input.
    """

    name = "generative-prior"
    family = "prior"
    needs = WhiteBox
    needs_auxiliary = True
    fitting = 0.5
    batch = 32

    steps: int = 100
    lr: float = 0.1
    samples: int = 8
    references: int = 30_000
    trust: float = 1.0
    draws: int = 4
    search_steps: int = 60
    prior_steps: int = 2000

    @property
    def copies(self) -> int:
        """The likeliest of each."""
        return self.samples

    def candidates(self) -> Sequence[Self]:
        """More and more trust in the representation."""
        return tuple(replace(self, trust=trust) for trust in (1.0, 2.0, 4.0))

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        own = own_samples(knowledge)
        held = held_out(len(own))
        shown = held + min(_ROWS, (len(own) - held) // 4)
        generator = fit_autoencoder(own[shown:], knowledge.box, self.prior_steps, on_step)
        fit = _Likelihood(generator, knowledge, own[:shown], held)

        references = own[held:][: self.references]
        weigh, count = likelihood(knowledge, references, on_step)
        references, each = references[:count], min(self.samples, count)
        moved = torch.randn(each, fit.numbers).to(own)  # the same for each z

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            release = knowledge.expected(z, self.draws)
            wanted = fit.whitened(z)
            likely = references[weigh(z).topk(each, dim=1).indices.flatten()]
            away = wanted.repeat_interleave(each, 0) - fit.whitened(knowledge.query(likely))
            start = generator.codes(likely)[0] + away @ fit.gain

            def loss(guess: Tensor, codes: Tensor, rows: Tensor, _: float) -> Tensor:
                which, draw = rows // each, rows % each
                misfit = self.trust * (fit.whitened(guess) - wanted[which]) - moved[draw]
                return (misfit.square().sum(1) + (codes - start[rows]).square().sum(1)) / 2

            with time_share(0.8):
                codes = minimize(
                    knowledge.encoder,
                    lambda codes: release(generator(codes)),
                    loss,
                    start,
                    lr=self.lr,
                    steps=self.steps,
                    on_step=lambda share: on_step(0.8 * share),
                )
            return best_for_all(
                generator(codes).unflatten(0, (len(z), each)),
                knowledge,
                steps=self.search_steps,
                on_step=lambda share: on_step(0.8 + 0.2 * share),
            )

        return run


class _Likelihood:
    """How far a generator misses what the device releases, and how that corrects a code.

    Args:
        generator: of inputs.
        knowledge: of the device.
        own: samples that the generator has not seen, (M, *shape).
        held: so many of the first choose between ridges.
    """

    def __init__(self, generator: Autoencoder, knowledge: WhiteBox, own: Tensor, held: int) -> None:
        device = knowledge.encoder
        with frozen(device), torch.no_grad():
            numbers = knowledge.query(own[:1]).numel()
            rows = at_once(len(own), knowledge.shape, (numbers,), numbers=2**26)
            own, held = own[:rows], min(held, rows // 2)
            pieces = own.split(at_once(500, knowledge.shape))
            codes = torch.cat([generator.codes(piece)[0] for piece in pieces])
            z = torch.cat([knowledge.query(piece).flatten(1) for piece in pieces])
            expected = knowledge.expected(z, 16)
            again = [expected(generator(c)).flatten(1) for c in codes.split(len(pieces[0]))]
        self.center = z.mean(0)
        self.root = _whitening(z, z - torch.cat(again))
        self.numbers = self.root.shape[1]
        self.gain = _regressed(self.whitened(z), codes, held)

    def whitened(self, z: Tensor) -> Tensor:
        """Representations, (N, ...), in units of what the generator misses, (N, k)."""
        whitened: Tensor = (z.flatten(1) - self.center) @ self.root
        return whitened


def _regressed(known: Tensor, wanted: Tensor, held: int) -> Tensor:
    """Weights, (k, n), of the ridge regression that is best on the first rows."""
    rows, codes = (part.double() - part.double().mean(0) for part in (known, wanted))
    square, cross = rows[held:].mT @ rows[held:], rows[held:].mT @ codes[held:]
    unit = torch.eye(len(square)).to(square)
    found = [torch.linalg.solve(square + ridge * unit, cross) for ridge in _RIDGES]
    errors = [(rows[:held] @ w - codes[:held]).square().mean().item() for w in found]
    best: Tensor = found[errors.index(min(errors))].to(wanted)
    return best


def _whitening(z: Tensor, errors: Tensor) -> Tensor:
    """A root, (d, k), of the inverse covariance of errors, (M, d), along directions of z."""
    count, numbers = errors.shape
    if numbers > min(_DIRECTIONS, count // 2):
        _, scaled = principal(z, min(_DIRECTIONS, count // 2), 0.0)
        directions = nn.functional.normalize(scaled, dim=0)
    else:
        directions = torch.eye(numbers).to(errors)
    along = (errors @ directions).double()
    covariance = along.mT @ along / count
    diagonal = covariance.diagonal()
    least = _LEAST * diagonal.mean() + torch.finfo(torch.float32).tiny
    covariance = (1 - _SHRINK) * covariance + torch.diag(_SHRINK * diagonal + least)
    lower = torch.linalg.cholesky(covariance)
    unit = torch.eye(len(lower)).to(lower)
    inverse = torch.linalg.solve_triangular(lower, unit, upper=False)
    root: Tensor = directions @ inverse.mT.to(errors)
    return root
