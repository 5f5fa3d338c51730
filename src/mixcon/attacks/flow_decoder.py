"""A decoder that knows what it does not know: a conditional flow of what its mean leaves open."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from mixcon._clock import each_step, time_share
from mixcon._memory import at_once
from mixcon.attacks._fitting import Moments, Pairs, one_cycle, own_samples
from mixcon.attacks._principal import principal
from mixcon.attacks.base import Attack, OnStep, Query, Run
from mixcon.attacks.decoder import Decoder
from mixcon.attacks.prototypes import best_for_all

__all__ = ["FlowDecoder"]

_LAYERS, _WIDTH = 6, 256
_ROWS = 2048  # errors of the decoder that say along which directions it errs
_STEEPEST = 2.0  # largest logarithm of what a layer multiplies a number by

Coordinates = Callable[[], tuple[Tensor, Tensor]]
"""Draws coordinates of errors, and the z that they belong to."""


@dataclass(frozen=True)
class FlowDecoder(Attack[Query]):
    """`decoder`, then samples around its answer; put forward is what is best for the metric.

    Where z tells little, the decoder's answer is a mean of many inputs and like none of them. Its
    errors on the attacker's own samples are written in their principal directions, and a flow of
    affine couplings learns the density of these coordinates, given z. Samples of it stand for the
    inputs that z leaves open: the answer is the image of largest expected SSIM to them, the
    sequence of largest expected cosine, the mean for anything else.

        x = D(z) + U f(n; z),   n ~ N(0, I), U the principal directions of the errors, f the flow

    Attributes:
        steps: training steps of the flow.
        batch_size: samples per step.
        lr: highest learning rate of AdamW under a one-cycle schedule.
        directions: principal directions of the decoder's errors.
        samples: so many are drawn for each z.
        search_steps: of the search for the image of largest expected SSIM.
        decoder_steps: training steps of the decoder.

    Source: Dinh et al., Real NVP, ICLR 2017; conditional as in Ardizzone et al., 2019.

    Cost: `decoder`, and steps of the flow; a search of `search_steps` over its samples for each
    victim.
    """

    name = "flow-decoder"
    family = "learned"
    needs = Query
    needs_auxiliary = True
    fitting = 0.8

    steps: int = 1500
    batch_size: int = 256
    lr: float = 2e-3
    directions: int = 64
    samples: int = 32
    search_steps: int = 60
    decoder_steps: int = Decoder.steps

    def _fit(self, knowledge: Query, on_step: OnStep) -> Run:
        with time_share(0.5):
            decode = Decoder(steps=self.decoder_steps).fit_run(
                knowledge, lambda share: on_step(share / 2)
            )
        own = own_samples(knowledge)
        pairs = Pairs(own, lambda index: knowledge.query(own[index]))
        z, x = pairs.taught(at_once(_ROWS, pairs.shape, numbers=2**24))
        mean, root = principal((x - _decoded(decode, z, pairs)).flatten(1), self.directions, 1e-8)
        whiten = root / root.square().sum(0)
        flow = Flow(root.shape[1], Moments(z.flatten(1))).to(x)

        def coordinates() -> tuple[Tensor, Tensor]:
            z, x = pairs.draw(self.batch_size)
            errors = (x - decode(z, lambda _: None)).flatten(1)
            return (errors - mean) @ whiten, z.flatten(1)

        self._train(flow, coordinates, lambda share: on_step((1 + share) / 2))

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            answer = decode(z, lambda _: None)
            drawn = flow.sample(z.flatten(1), self.samples)  # (N, K, directions)
            moved = [answer[:, None].flatten(2) + mean + c @ root.mT for c in drawn.split(1, 1)]
            found = torch.cat(moved, 1).unflatten(2, knowledge.shape)
            found = found.clamp(*knowledge.box) if knowledge.box else found
            return best_for_all(found, knowledge, steps=self.search_steps, on_step=on_step)

        return run

    def _train(self, flow: Flow, coordinates: Coordinates, on_step: OnStep) -> None:
        step = one_cycle(flow, self.lr, self.steps, clip=1.0)
        with torch.enable_grad():
            for _ in each_step(self.steps, on_step):
                with torch.no_grad():
                    point, z = coordinates()
                step((-flow.log_density(point, z)).mean())
        flow.eval().requires_grad_(False)


def _decoded(decode: Run, z: Tensor, pairs: Pairs) -> Tensor:
    parts = z.split(at_once(len(z), pairs.shape))
    return torch.cat([decode(part, lambda _: None) for part in parts])


class Coupling(nn.Module):
    """Half of the numbers pass; they and the context say how the others are moved and scaled."""

    def __init__(self, numbers: int, context: int) -> None:
        super().__init__()
        self.passing = numbers // 2
        sizes = (self.passing + context, _WIDTH, _WIDTH, 2 * (numbers - self.passing))
        layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
        self.network = nn.Sequential(*layers[:-1])
        nn.init.zeros_(cast(nn.Linear, layers[-2]).weight)  # at first nothing moves
        nn.init.zeros_(cast(nn.Linear, layers[-2]).bias)

    def _change(self, kept: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        shift, steep = self.network(torch.cat([kept, context], 1)).chunk(2, 1)
        return shift, _STEEPEST * torch.tanh(steep / _STEEPEST)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers changed, (N, d), and the logarithm of the volume's change, (N,)."""
        kept, rest = x[:, : self.passing], x[:, self.passing :]
        shift, steep = self._change(kept, context)
        return torch.cat([rest * steep.exp() + shift, kept], 1), steep.sum(1)

    def inverse(self, y: Tensor, context: Tensor) -> Tensor:
        """What `forward` made them of."""
        kept = y[:, y.shape[1] - self.passing :]
        shift, steep = self._change(kept, context)
        rest = (y[:, : y.shape[1] - self.passing] - shift) * (-steep).exp()
        return torch.cat([kept, rest], 1)


class Flow(nn.Module):
    """A density of d numbers given z: couplings between them and independent Gaussian ones.

    Args:
        numbers: d, at least 2.
        moments: standardize z, (N, m).
    """

    def __init__(self, numbers: int, moments: Moments) -> None:
        super().__init__()
        self.numbers, self.moments = numbers, moments
        context = moments.mean.numel()
        self.couplings = nn.ModuleList(Coupling(numbers, context) for _ in range(_LAYERS))

    def log_density(self, x: Tensor, z: Tensor) -> Tensor:
        """Of numbers (N, d) given z, (N, m): (N,) in nats."""
        context, volume = self.moments(z), x.new_zeros(len(x))
        for coupling in self.couplings:
            x, change = coupling(x, context)
            volume = volume + change
        density: Tensor = volume - (x.square().sum(1) + self.numbers * math.log(2 * math.pi)) / 2
        return density

    @torch.no_grad()
    def sample(self, z: Tensor, count: int) -> Tensor:
        """Draw so many for each z, (N, m) to (N, count, d)."""
        context = self.moments(z).repeat_interleave(count, 0)
        x = torch.randn(len(context), self.numbers, dtype=z.dtype, device=z.device)
        for coupling in reversed(self.couplings):
            x = cast(Coupling, coupling).inverse(x, context)
        found: Tensor = x.unflatten(0, (len(z), count))
        return found
