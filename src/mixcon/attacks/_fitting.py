"""Train a network that maps representations back to inputs."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from mixcon._clock import each_step
from mixcon._memory import at_once
from mixcon.attacks.base import Knowledge, OnStep, held_out
from mixcon.errors import KnowledgeError
from mixcon.kinds import has_structure
from mixcon.metrics import ssim
from mixcon.models.decoder import into, inverse_network

__all__ = [
    "Budget",
    "InverseNetwork",
    "Pairs",
    "fit_decoder",
    "keep_best",
    "one_cycle",
    "own_samples",
    "taught_samples",
    "unlikeness",
]

Box = tuple[float, float] | None
_AT_ONCE = 1024  # so many representations are standardized by
_CHECKS = 10  # so often the held-out samples are looked at


class Budget(Protocol):
    """How long to train, with how many samples a step, and the highest learning rate."""

    @property
    def steps(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def lr(self) -> float: ...


class Moments(nn.Module):
    """Mean and deviation of each number of samples (M, ...); forward standardizes by them.

    A number that hardly varies is not blown up: what sets it apart from the others is rounding.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, samples: Tensor) -> None:
        super().__init__()
        deviation, mean = torch.std_mean(samples.double(), 0, correction=0)
        least = 0.05 * deviation.square().mean().sqrt()
        self.register_buffer("mean", mean.to(samples.dtype))
        deviation = deviation.clamp_min(least) if least > 0 else torch.ones_like(deviation)
        self.register_buffer("deviation", deviation.to(samples.dtype))

    def forward(self, samples: Tensor) -> Tensor:
        return (samples - self.mean) / self.deviation

    def restore(self, standardized: Tensor) -> Tensor:
        """The inverse of standardizing."""
        return self.mean + self.deviation * standardized


class InverseNetwork(nn.Module):
    """Representations, (N, *z), to inputs, (N, *shape), inside the box if there is one.

    Args:
        z: representations to standardize by, (M, *z): contracted ones are as good as any.
        x: the inputs that they belong to, (M, *shape).
        box: smallest and largest value of an input.
    """

    def __init__(self, z: Tensor, x: Tensor, box: Box) -> None:
        super().__init__()
        self.box = box
        self.z, self.x = Moments(z), Moments(x)
        self.network = inverse_network(tuple(z.shape[1:]), tuple(x.shape[1:])).to(z)

    def forward(self, z: Tensor) -> Tensor:
        out = cast(Tensor, self.network(self.z(z)))
        return into(self.box, out) if self.box else self.x.restore(out)


def unlikeness(found: Tensor, wanted: Tensor, box: Box) -> Tensor:
    """How unlike two batches are, (N, *shape) twice to one loss per sample, (N,).

    For images in a box 1 - SSIM, the structure, plus ten times the mean squared error in units of
    the box, which fixes the values. The mean squared error for anything else.
    """
    error = (found - wanted).square().flatten(1).mean(1)
    if box is None or not has_structure(wanted.shape[1:]):
        return error
    span = box[1] - box[0]
    return 10 * error / span**2 + 1 - ssim(found, wanted, data_range=span)


class Pairs:
    """The attacker's own inputs, and what is released of them; the first tenth is held out.

    Args:
        samples: inputs in no order, (M, *shape), at least 2.
        release: maps positions of samples, (N,), to what is released of them, noise drawn anew.
    """

    def __init__(self, samples: Tensor, release: Callable[[Tensor], Tensor]) -> None:
        self.samples, self.release = samples, release
        self.held, self.shape = held_out(len(samples)), tuple(samples.shape[1:])

    def moments(self) -> tuple[Tensor, Tensor]:
        """Representations and inputs to standardize by."""
        return self.taught(at_once(_AT_ONCE, self.shape, numbers=2**24))

    def held_out(self) -> tuple[Tensor, Tensor]:
        """Representations and inputs of the samples that nothing learns from."""
        return self._pairs(torch.arange(self.held))

    def taught(self, count: int) -> tuple[Tensor, Tensor]:
        """Those of so many of the others, of all if there are fewer."""
        return self._pairs(torch.arange(self.held, min(self.held + count, len(self.samples))))

    def _pairs(self, index: Tensor) -> tuple[Tensor, Tensor]:
        parts = index.split(at_once(len(index), self.shape))
        return torch.cat([self.release(part) for part in parts]), self.samples[index]

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Representations and inputs of so many that are not held out, with replacement.

        Of large inputs it is fewer, see `at_once`.
        """
        count = at_once(count, self.shape)
        index = torch.randint(self.held, len(self.samples), (count,))
        return self.release(index), self.samples[index]


def own_samples(knowledge: Knowledge, most: int | None = None) -> Tensor:
    """The first of the attacker's own inputs, (M, *shape).

    Raises:
        KnowledgeError: fewer than two, one to learn from and one to choose by.
    """
    samples = knowledge.auxiliary.inputs[:most] if knowledge.auxiliary else torch.empty(0)
    if len(samples) < 2:
        raise KnowledgeError(f"expected at least 2 auxiliary samples, but got {len(samples)}")
    return samples


def taught_samples(knowledge: Knowledge) -> Tensor:
    """Those of the attacker's own inputs that are not held out, (M, *shape), one or more.

    Raises:
        KnowledgeError: as `own_samples`.
    """
    own_samples(knowledge)
    return knowledge.taught


def fit_decoder(pairs: Pairs, box: Box, budget: Budget, on_step: OnStep) -> InverseNetwork:
    """Train an inverse network by AdamW under a one-cycle schedule.

    Args:
        pairs: what it learns from; representations are asked for anew in every step.
        box: smallest and largest value of an input.
        budget: the length of training.
        on_step: told about progress.
    """
    network = InverseNetwork(*pairs.moments(), box)
    step = one_cycle(network, budget.lr, budget.steps)

    def update() -> None:
        z, x = pairs.draw(budget.batch_size)
        step(unlikeness(network(z), x, box).mean())

    return keep_best(network, update, pairs, budget.steps, on_step)


def one_cycle(
    network: nn.Module, lr: float, steps: int, *, clip: float | None = None
) -> Callable[[Tensor], None]:
    """A function that takes a loss, and a step of AdamW under a one-cycle schedule against it.

    Args:
        network: whose weights are moved.
        lr: the highest learning rate of the cycle.
        steps: in all.
        clip: largest norm of the gradient.
    """
    optimizer = torch.optim.AdamW(network.parameters(), lr, weight_decay=0.01, fused=True)
    schedule = OneCycleLR(optimizer, lr, total_steps=steps)

    def step(loss: Tensor) -> None:
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), clip)
        optimizer.step()
        schedule.step()

    return step


def keep_best(
    network: InverseNetwork,
    update: Callable[[], None],
    pairs: Pairs,
    steps: int,
    on_step: OnStep,
) -> InverseNetwork:
    """Update so many times; the state that did best on the held-out samples, frozen."""
    z, x = pairs.held_out()
    best, least = network, float("inf")
    for step in each_step(steps, on_step):
        with torch.enable_grad():
            update()
        if step % -(-steps // _CHECKS) == 0 or step == steps:
            loss = _loss(network, z, x)
            if loss < least:
                best, least = deepcopy(network), loss
    return best.eval().requires_grad_(False)


@torch.no_grad()
def _loss(network: InverseNetwork, z: Tensor, x: Tensor) -> float:
    network.eval()
    size = at_once(len(x), tuple(x.shape[1:]))
    parts = zip(z.split(size), x.split(size), strict=True)
    losses = torch.cat([unlikeness(network(a), b, network.box) for a, b in parts])
    network.train()
    return losses.mean().item()
