"""A generator of inputs that has learned, from the attacker's own, what inputs look like."""

from __future__ import annotations

from math import prod
from typing import cast

import torch
from torch import Tensor, nn

from mixcon._cache import digest, kept
from mixcon._clock import each_step
from mixcon._memory import at_once
from mixcon.attacks._fitting import Box, Moments, one_cycle, unlikeness
from mixcon.attacks.base import OnStep
from mixcon.kinds import Kind, has_structure
from mixcon.models.decoder import into, inverse_network

__all__ = ["Autoencoder", "fit_autoencoder"]

_NUMBERS = 128  # of a code, at most
_PIXELS, _OTHERS = 3e-4, 0.2  # weight of a nat: of images, and of anything else, for each number
_BATCH, _LR = 128, 5e-3
_WIDTH, _HIDDEN, _COARSEST = 32, 512, 4  # channels, neurons, pixels of the side that ends it
_FIT = 1  # raise when the same arguments train another one


class Autoencoder(nn.Module):
    """A variational autoencoder: inputs, (N, *shape), to codes, (N, numbers), and back.

    Codes of inputs are about standard normal all together, so that one which is drawn at random,
    or is held near 0, becomes an input that could be real.

    Args:
        samples: inputs to standardize by, (M, *shape).
        box: smallest and largest value of an input.

    Source: Kingma and Welling, Auto-encoding variational Bayes, ICLR 2014.
    """

    def __init__(self, samples: Tensor, box: Box) -> None:
        super().__init__()
        shape = tuple(samples.shape[1:])
        self.box, self.numbers = box, min(_NUMBERS, samples[0].numel())
        self.x = Moments(samples)
        self.encoder = _encoder(shape, 2 * self.numbers)
        self.decoder = inverse_network((self.numbers,), shape)

    def codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the code of each input, (N, numbers) both."""
        mean, logarithm = cast(Tensor, self.encoder(self.x(x))).chunk(2, 1)
        return mean, logarithm

    def forward(self, codes: Tensor) -> Tensor:
        """Codes, (N, numbers), to inputs, (N, *shape), inside the box if there is one."""
        out = cast(Tensor, self.decoder(codes))
        return into(self.box, out) if self.box else self.x.restore(out)

    def loss(self, x: Tensor) -> Tensor:
        """How unlike inputs are to what comes back, and the nats that their codes take, (N,)."""
        mean, logarithm = self.codes(x)
        found = self(mean + (logarithm / 2).exp() * torch.randn_like(mean))
        nats = (mean.square() + logarithm.exp() - 1 - logarithm).sum(1) / 2
        if self.box and has_structure(x.shape[1:]):
            return unlikeness(found, x, self.box) + _PIXELS * nats
        error: Tensor = (self.x(found) - self.x(x)).square().flatten(1).mean(1)
        return error + _OTHERS / x[0].numel() * nats


def _encoder(shape: tuple[int, ...], wanted: int) -> nn.Sequential:
    """An untrained network from inputs to so many numbers: strided convolutions for images."""
    layers: list[nn.Module] = []
    if Kind.of(shape) is Kind.IMAGE:
        channels, height, width = shape
        while max(height, width) > _COARSEST or not layers:
            more = 2 * _WIDTH if layers else _WIDTH
            convolution = nn.Conv2d(channels, more, 3, 2, 1)
            layers += [convolution, nn.BatchNorm2d(more), nn.ReLU()]
            channels, height, width = more, -(-height // 2), -(-width // 2)
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, wanted))
    hidden = [nn.Linear(prod(shape), _HIDDEN), nn.BatchNorm1d(_HIDDEN), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(_HIDDEN, wanted))


def fit_autoencoder(samples: Tensor, box: Box, steps: int, on_step: OnStep) -> Autoencoder:
    """Train one by AdamW under a one-cycle schedule, or take it out of the cache; frozen.

    It depends on the samples alone, and not on any device: one serves all attacks of an audit.

    Args:
        samples: inputs, (M, *shape).
        box: smallest and largest value of an input.
        steps: batches of 128 to train on, fewer of large inputs.
        on_step: told about progress, where it is not out of the cache.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Autoencoder(samples, box).to(samples)

        def train() -> dict[str, Tensor]:
            _train(network, samples, steps, on_step)
            return network.state_dict()

        facts = (repr(box), steps, _FIT, torch.__version__, samples.device.type)
        network.load_state_dict(kept(f"prior-{digest(samples, *facts)}", train))
    return network.eval().requires_grad_(False)


def _train(network: Autoencoder, samples: Tensor, steps: int, on_step: OnStep) -> None:
    step = one_cycle(network, _LR, steps)
    batch = at_once(_BATCH, tuple(samples.shape[1:]))
    with torch.enable_grad():
        for _ in each_step(steps, on_step):
            index = torch.randint(len(samples), (batch,))
            step(network.loss(samples[index]).mean())
