"""Training for the search: the steps of `mixcon.training.train`, with nothing written or measured.

Batches may also hold the same number of each class, which `train` does not know.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.data import Splits
from mixcon.split import SplitModel
from mixcon.training import TrainConfig
from mixcon.training.build import build
from mixcon.training.objective import Objective
from mixcon.training.optimizer import make_optimizer, ramp
from mixcon.training.run_folder import manual_seed

__all__ = ["epoch_order", "fit"]


def fit(
    config: TrainConfig,
    splits: Splits,
    *,
    balanced: bool = False,
    on_epoch: Callable[[float], None] = lambda _: None,
) -> SplitModel:
    """Train a model at a constant learning rate; one that diverges has weights that are NaN.

    Args:
        config: what to train; without a channel that draws noise it gives the weights of `train`.
        splits: its data.
        balanced: as of `epoch_order`.
        on_epoch: told after each epoch which share is done.
    """
    with torch.random.fork_rng():
        model, defense = build(config, splits)
    objective = Objective(model.train(), defense)
    optimizer = make_optimizer(objective.parameters(), config)
    for epoch in range(1, config.epochs + 1):
        order = epoch_order(splits.train.labels, config.seed, epoch, balanced=balanced)
        steps = -(-len(order) // config.batch_size)
        for step, (x, y) in enumerate(splits.train.batches(config.batch_size, order)):
            loss, _, _ = objective(x, y, ramp(config, epoch, step, steps))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        on_epoch(epoch / config.epochs)
    return model.eval().requires_grad_(False)


def epoch_order(labels: Tensor, seed: int, epoch: int, *, balanced: bool) -> Tensor:
    """The order in which an epoch visits its samples, int64 (N,).

    Args:
        labels: int64 (N,).
        seed: of the run.
        epoch: from 1.
        balanced: take one of each class in turn, as long as there are any, so that the i-th of a
            class meets the i-th of every other; else as `train` does.
    """
    with torch.random.fork_rng():
        order = torch.randperm(len(labels), generator=manual_seed(seed, epoch))
    if not balanced:
        return order
    drawn = labels[order]
    rank = F.one_hot(drawn).cumsum(0).gather(1, drawn[:, None]).squeeze(1)
    return order[rank.argsort(stable=True)]
