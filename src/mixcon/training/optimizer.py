"""Optimizers and schedules: what a step does, as a function of its place in the run."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from mixcon.training.config import TrainConfig

__all__ = ["learning_rate", "make_optimizer", "ramp"]

_WARM_UP = 0.3  # share of a one-cycle run in which the rate rises
_START, _END = 1 / 25, 1e-4  # its first and last rate, in parts of the largest


def make_optimizer(
    parameters: Iterable[nn.Parameter | torch.Tensor], config: TrainConfig
) -> torch.optim.Optimizer:
    """The optimizer that the config names, for these parameters."""
    lr, decay = config.lr, config.weight_decay
    if config.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr, config.momentum, weight_decay=decay)
    kind = torch.optim.Adam if config.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr, weight_decay=decay)


def learning_rate(config: TrainConfig, epoch: int, step: int, steps: int) -> float:
    """The rate of one step.

    Args:
        config: names the schedule: ``constant``; ``steps``, a tenth after each milestone;
            ``cosine``, from lr down to 0; ``one-cycle``, up to lr and down again by cosines (Smith
            and Topin, "Super-Convergence", 2019; the momentum stays as it is).
        epoch: from 1.
        step: steps of this epoch that are done.
        steps: of an epoch.
    """
    if config.schedule == "constant":
        return config.lr
    if config.schedule == "steps":
        return config.lr * 0.1 ** sum(epoch > milestone for milestone in config.milestones)
    share = ((epoch - 1) * steps + step) / max(1, config.epochs * steps - 1)
    if config.schedule == "cosine":
        return config.lr * _cosine(1.0, 0.0, share)
    if share < _WARM_UP:
        return config.lr * _cosine(_START, 1.0, share / _WARM_UP)
    return config.lr * _cosine(1.0, _END, (share - _WARM_UP) / (1 - _WARM_UP))


def ramp(config: TrainConfig, epoch: int, step: int, steps: int) -> float:
    """The share of the penalties' weight at one step; arguments as of `learning_rate`."""
    whole = config.ramp * steps
    return min(1.0, ((epoch - 1) * steps + step) / whole) if whole else 1.0


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2
