"""Texts that are changed token by token until they fit the representation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon._clock import each_step
from mixcon._memory import at_once
from mixcon.attacks._fitting import taught_samples
from mixcon.attacks.base import Attack, OnStep, Run, WhiteBox, frozen
from mixcon.attacks.posterior import likelihood
from mixcon.kinds import Kind

__all__ = ["TokenSearch"]

_AT_ONCE = 4096  # texts
_SEEN = 0.1  # added to how often each pair of tokens occurs

Loss = Callable[[Tensor, Tensor], Tensor]
"""What is minimized of texts, (M, L), each for the representation of a number, (M,): (M,)."""


@dataclass(frozen=True)
class TokenSearch(Attack[WhiteBox]):
    """One place after another takes the token, of the whole vocabulary, that fits best.

    It starts from the samples that `posterior` finds the likeliest, and keeps the best of what
    they become. Of a cut behind the embedding it finds the nearest token of each place; behind
    attention, where places have been mixed, it is coordinate descent. How often two tokens follow
    each other in the attacker's own texts is the prior P, which matters where z is noisy or small.

        min over tokens t of  |E h(t) - z|^2 / |z|^2 - prior mean over l of log P(t_l | t_(l-1))

    Attributes:
        steps: rounds over all places, at most; a text that one leaves as it is has its last.
        starts: of the likeliest samples, for each text.
        prior: weight of the prior.
        references: so many of the attacker's samples are weighed as starts.
        draws: of a stochastic channel at each look.

    Source: Song and Raghunathan, Information leakage in embedding models, CCS 2020 (inversion by
    the nearest tokens); the search behind attention is mixcon's own.

    Cost: steps times starts times tokens times words passes of the encoder for each text.
    """

    name = "token-search"
    family = "search"
    needs = WhiteBox
    inputs = frozenset({Kind.TEXT})
    needs_auxiliary = True

    steps: int = 6
    starts: int = 2
    prior: float = 1e-4
    references: int = 30_000
    draws: int = 4

    def candidates(self) -> Sequence[Self]:
        """Stronger priors."""
        return tuple(replace(self, prior=prior) for prior in (1e-4, 1e-2, 0.1, 1.0))

    def _fit(self, knowledge: WhiteBox, on_step: OnStep) -> Run:
        own = taught_samples(knowledge)
        weigh, count = likelihood(knowledge, own[: self.references], on_step)
        texts = _tokens(own)
        language = _language(texts, own.shape[-1] + 1).to(own)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            each = min(self.starts, count)
            start = texts[weigh(z).topk(each, dim=1).indices.flatten()]
            which = torch.arange(len(z), device=z.device).repeat_interleave(each)
            loss = self._loss(knowledge, z, language)
            with frozen(knowledge.encoder), torch.no_grad():
                found = self._search(start, which, loss, len(language) - 1, on_step)
                best = loss(found, which).view(len(z), each).argmin(1)
            return _rows(found[best + each * torch.arange(len(z), device=z.device)], own)

        return run

    def _loss(self, knowledge: WhiteBox, z: Tensor, language: Tensor) -> Loss:
        release, flat = knowledge.expected(z, self.draws), z.flatten(1)
        scale = flat.square().sum(1).clamp_min(torch.finfo(z.dtype).tiny)
        size = at_once(_AT_ONCE, knowledge.shape, tuple(z.shape[1:]), numbers=2**24)
        like = z.new_empty(0, *knowledge.shape)

        def loss(texts: Tensor, which: Tensor) -> Tensor:
            misfits = [
                (release(_rows(some, like)).flatten(1) - flat[of]).square().sum(1) / scale[of]
                for some, of in zip(texts.split(size), which.split(size), strict=True)
            ]
            before = F.pad(texts[:, :-1], (1, 0), value=len(language) - 1)
            return torch.cat(misfits) - self.prior * language[before, texts].mean(1)

        return loss

    def _search(
        self, texts: Tensor, which: Tensor, loss: Loss, words: int, on_step: OnStep
    ) -> Tensor:
        """Texts, (M, L), after rounds of the best word, or none, for each place in turn."""
        generator = torch.Generator().manual_seed(0)
        places = torch.randperm(texts.shape[1], generator=generator).tolist()
        every = torch.arange(words, device=texts.device)
        found, left = texts.clone(), torch.arange(len(texts), device=texts.device)
        for _ in each_step(self.steps, on_step):
            some, of = found[left], which[left].repeat_interleave(words)
            for place in places:
                tried = some.repeat_interleave(words, 0)
                tried[:, place] = every.repeat(len(some))
                some[:, place] = loss(tried, of).view(-1, words).argmin(1)
            changed = (some != found[left]).any(1)
            found[left] = some
            left = left[changed]
            if not len(left):
                break
        return found


def _tokens(rows: Tensor) -> Tensor:
    """Rows with a 1, (N, L, V), to numbers from 1 on, 0 behind the end, (N, L)."""
    return (rows.argmax(-1) + 1) * (rows.amax(-1) > 0)


def _rows(texts: Tensor, like: Tensor) -> Tensor:
    """The inverse."""
    words = like.shape[-1]
    return torch.eye(words + 1, dtype=like.dtype, device=like.device)[:, 1:][texts]


def _language(texts: Tensor, words: int) -> Tensor:
    """The logarithm of how likely a word, or none, follows each other one; last: at the start."""
    before = F.pad(texts[:, :-1], (1, 0), value=words)
    pairs = torch.bincount((before * words + texts).flatten(), minlength=(words + 1) * words)
    counts = pairs.view(words + 1, words).double() + _SEEN
    return (counts / counts.sum(1, keepdim=True)).log()
