"""The package's own gradient attack on a network made from a formula."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mixcon.attacks import Rmle, WhiteBox
from mixcon.theory import ReductionNetwork

__all__ = ["GradientInversion", "invert_by_gradient"]

_SAMPLES = 4096


@dataclass(frozen=True)
class GradientInversion:
    """What the attack came to.

    Attributes:
        x: the point whose representation is nearest to the target, in [-1, 1]^n.
        unsatisfied: clauses that its rounding leaves unsatisfied.
        starts: how many random starts it took.
        guessed: clauses left unsatisfied by the best of these starts, rounded as it was drawn.
        seconds: processor time, of all threads.
    """

    x: Tensor
    unsatisfied: int
    starts: int
    guessed: int
    seconds: float


def invert_by_gradient(
    network: ReductionNetwork,
    *,
    standardize: bool = True,
    starts: int = 64,
    rounds: int = 4,
    steps: int = 300,
    seed: int = 0,
    on_round: Callable[[float], None] = lambda _: None,
) -> GradientInversion:
    """Invert h_phi by `mixcon.attacks.Rmle` from random starts, until a corner fits the target.

    Who minimizes ||h(x) - z|| as it stands never gets to see a clause: the copies outweigh them
    by 100 B^2 and push each number to the end of [-1, 1] it is nearer to, so that the result is
    the start, rounded. An attacker who knows the network will therefore divide each output by its
    standard deviation over random inputs first (`standardize`), which moves no solution.

    Args:
        network: h_phi with its target.
        standardize: whether to do so.
        starts: uniform in [-1, 1]^n, all attacked in one batch; the middle, where Rmle starts, is
            a point where the gradient of h_phi is 0.
        rounds: how many such batches to try at most.
        steps: of Adam. Its learning rate is 1 in units of the box, much more than for images:
            it has to jump. Chosen on other formulas than those of the experiment.
        seed: draws starts and random inputs.
        on_round: told after each round which share of the rounds is done.
    """
    began, generator = time.process_time(), torch.Generator().manual_seed(seed)
    scale = _scale(network, generator) if standardize else torch.ones_like(network.target)
    attack, tried = Rmle(lr=1.0, steps=steps), []
    for done in range(1, rounds + 1):
        start = _uniform(starts, network, generator)
        wide = _ManyStarts(network, scale, start)
        knowledge = WhiteBox.of(wide, shape=(start.numel(),), box=(-1.0, 1.0))
        found = wide.place(attack.fit(knowledge)((network.target * scale).repeat(1, starts)))[0]
        tried.append((found, start))
        on_round(done / rounds)
        if not network.cnf.unsatisfied(network.decode(found)).all():
            break
    points, drawn = (torch.cat(part) for part in zip(*tried, strict=True))
    return _best(network, points, drawn, time.process_time() - began)


class _ManyStarts(nn.Module):
    """h_phi from many starts at once, as one wide input whose middle, 0, is the starts.

    Each half of [-1, 1] is stretched linearly onto what lies on that side of the start. Adam goes
    number by number, and so none of the starts takes notice of the others.
    """

    def __init__(self, network: ReductionNetwork, scale: Tensor, start: Tensor) -> None:
        super().__init__()
        self.network = network
        self.scale: Tensor = scale
        self.start: Tensor = start

    def place(self, wide: Tensor) -> Tensor:
        """The points, (N, starts, n), that wide inputs, (N, starts n), stand for."""
        moved = wide.view(-1, *self.start.shape)
        return self.start + moved * torch.where(moved < 0, 1 + self.start, 1 - self.start)

    def forward(self, wide: Tensor) -> Tensor:
        """Their scaled representations, (N, starts outputs)."""
        z: Tensor = self.network(self.place(wide).flatten(0, 1)) * self.scale
        return z.reshape(len(wide), -1)


def _uniform(count: int, network: ReductionNetwork, generator: torch.Generator) -> Tensor:
    shape, dtype = (count, network.cnf.variables), network.target.dtype
    return 2 * torch.rand(shape, generator=generator, dtype=dtype) - 1


def _scale(network: ReductionNetwork, generator: torch.Generator) -> Tensor:
    """One over the standard deviation of each output; one that never moves gets the largest."""
    spread = network(_uniform(_SAMPLES, network, generator)).std(0)
    return 1 / torch.where(spread > 0, spread, spread.max())


def _best(
    network: ReductionNetwork, points: Tensor, drawn: Tensor, seconds: float
) -> GradientInversion:
    """The nearest to the target among the points and their corners."""
    candidates = torch.cat([points, network.encode(network.decode(points))])
    x = candidates[network.distance(candidates).argmin()]
    left = network.cnf.unsatisfied(network.decode(torch.cat([x[None], drawn])))
    return GradientInversion(x, int(left[0]), len(drawn), int(left[1:].min()), seconds)
