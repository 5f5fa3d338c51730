"""Train a small classifier in a fixed number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon._clock import each_step
from mixcon.errors import ConfigError

__all__ = ["OnStep", "check_labeled", "fit_classifier"]

OnStep = Callable[[float], None]
"""Told the share of the work that is done, in [0, 1]."""

Vary = Callable[[Tensor, torch.Generator], Tensor]


def fit_classifier(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    *,
    seed: int,
    steps: int,
    batch: int = 128,
    lr: float = 0.01,
    vary: Vary = lambda x, _: x,
    on_step: OnStep = lambda _: None,
) -> None:
    """Minimize the cross-entropy with AdamW under a one-cycle schedule; ends in evaluation mode.

    Args:
        network: maps (N, ...) to logits (N, classes).
        inputs: (M, ...).
        labels: int64 (M,).
        seed: draws the order of the samples and what `vary` does to them.
        steps: number of steps, whatever the number of samples.
        batch: samples a step, or all of them if there are fewer.
        lr: the highest learning rate of the cycle.
        vary: changes the inputs of each batch.
        on_step: told about progress.
    """
    generator = torch.Generator(inputs.device).manual_seed(seed)
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    network.train()
    with torch.enable_grad():
        orders = _batches(len(inputs), batch, steps, generator)
        for _, index in zip(each_step(steps, on_step), orders, strict=False):
            logits = network(vary(inputs[index], generator))
            loss = F.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval().requires_grad_(False)


def _batches(count: int, batch: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Positions of each step's samples: one random order after the other, none used up early."""
    batch = min(batch, count)
    rounds = -(-steps * batch // count)
    orders = [
        torch.randperm(count, generator=generator, device=generator.device) for _ in range(rounds)
    ]
    yield from torch.cat(orders)[: steps * batch].split(batch)


def check_labeled(what: str, inputs: Tensor, labels: Tensor, classes: int) -> None:
    """Refuse samples and labels that do not make a training set of these classes."""
    if len(inputs) < 2 or labels.shape != (len(inputs),) or labels.is_floating_point():
        raise ConfigError(
            f"expected {what} and one label each, an integer, 2 or more, but got {len(inputs)} and "
            f"labels of {labels.dtype} and shape {tuple(labels.shape)}"
        )
    low, high = int(labels.min()), int(labels.max())
    if not 0 <= low <= high < classes:
        raise ConfigError(
            f"expected labels of {what} from 0 to {classes - 1}, but got {low} to {high}"
        )
