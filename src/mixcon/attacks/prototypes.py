"""Answers that are like many samples at once: best for the expected likeness of each kind."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon._clock import each_step, time_share
from mixcon._memory import at_once
from mixcon.attacks.base import Knowledge, OnStep
from mixcon.kinds import Kind, has_structure
from mixcon.metrics.structural import ssim_to_each

__all__ = ["best_answer", "best_for_all", "most_alike", "most_parallel"]

_LEAST = 11  # pixels of the window of SSIM
_COARSE = 64  # pixels a side; larger images are first searched for at this size
_FINE = 0.1  # of the steps then follow at their own size


def best_answer(
    pool: Tensor,
    members: Tensor,
    weights: Tensor,
    knowledge: Knowledge,
    *,
    steps: int,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """The single answer that is best for inputs that are so likely.

    For images the one of largest expected SSIM, for sequences the one of largest expected cosine,
    for anything else, and images outside of [0, 1], the mean.

    Args:
        pool: samples, (M, *shape).
        members: positions in the pool of the samples of each answer, (G, K).
        weights: how likely each is, (G, K), each row of sum 1.
        knowledge: says of what kind inputs are.
        steps: of the search for an image.
        on_step: told about progress.

    Returns:
        (G, *shape).
    """
    if knowledge.kind is Kind.SEQUENCE:
        return most_parallel(pool[members], weights)
    mean = _mean(pool, members, weights)
    if not has_structure(knowledge.shape) or knowledge.box != (0.0, 1.0):
        return mean
    return most_alike(mean, pool, members, weights, steps=steps, on_step=on_step)


def best_for_all(
    samples: Tensor, knowledge: Knowledge, *, steps: int, on_step: OnStep = lambda _: None
) -> Tensor:
    """`best_answer` for samples that are as likely as each other, (G, K, *shape)."""
    count, each = samples.shape[:2]
    return best_answer(
        samples.flatten(0, 1),
        torch.arange(count * each, device=samples.device).view(count, each),
        samples.new_full((count, each), 1 / each),
        knowledge,
        steps=steps,
        on_step=on_step,
    )


def _mean(pool: Tensor, members: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of the members of each row, (G, K) to (G, *shape)."""
    size = at_once(len(members), (members.shape[1] * pool[0].numel(),), numbers=2**23)
    parts = zip(members.split(size), weights.split(size), strict=True)
    means = [torch.einsum("gk,gk...->g...", own, pool[chosen]) for chosen, own in parts]
    return torch.cat(means)


def most_alike(
    start: Tensor,
    pool: Tensor,
    members: Tensor,
    weights: Tensor,
    *,
    steps: int,
    lr: float = 0.03,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """For each of G guesses the image with the largest weighted SSIM to samples of its own.

    The mean of images is best for the squared error and blurred; this is what an attacker puts
    forward who is judged by SSIM. Adam, from the start, inside of [0, 1]. Images of more than 64
    pixels a side are searched for at 64, and then improved for a tenth of the steps, if any.

    Args:
        start: (G, C, H, W) in [0, 1].
        pool: samples, (M, C, H, W) in [0, 1].
        members: positions in the pool of the samples of each guess, (G, K).
        weights: (G, K), not negative.
        steps: of Adam.
        lr: its learning rate.
        on_step: told about progress.

    Returns:
        (G, C, H, W).
    """
    shape = (members.shape[1] * start.shape[1], *start.shape[2:])
    size = at_once(len(start), shape, numbers=2**23)
    parts = list(zip(*(x.split(size) for x in (start, members, weights)), strict=True))
    found: list[Tensor] = []
    for part, chosen, own in parts:

        def report(share: float) -> None:
            on_step((len(found) + share) / len(parts))

        with time_share(1 / (len(parts) - len(found))):
            found.append(_searched(part, pool[chosen], own, steps, lr, report))
    return torch.cat(found)


def _searched(
    start: Tensor, samples: Tensor, weights: Tensor, steps: int, lr: float, on_step: OnStep
) -> Tensor:
    sides = start.shape[-2:]
    if max(sides) <= _COARSE:
        return _climbed(start, samples, weights, steps, lr, on_step)
    height, width = (max(_LEAST, side * _COARSE // max(sides)) for side in sides)
    fewer = (height, width)
    small = F.adaptive_avg_pool2d(start, fewer)
    few = F.adaptive_avg_pool2d(samples.flatten(0, 1), fewer).unflatten(0, samples.shape[:2])
    with time_share(0.5):
        better = _climbed(small, few, weights, steps, lr, lambda share: on_step(share / 2))
    moved = start + F.interpolate(better - small, tuple(sides), mode="bilinear")
    fine = round(_FINE * steps)
    return _climbed(
        moved.clamp(0, 1), samples, weights, fine, lr, lambda share: on_step((1 + share) / 2)
    )


@torch.enable_grad()
def _climbed(
    start: Tensor, samples: Tensor, weights: Tensor, steps: int, lr: float, on_step: OnStep
) -> Tensor:
    guesses = start.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([guesses], lr=lr)
    likeness, weights = ssim_to_each(samples.detach()), weights.detach()
    for step in each_step(steps, on_step):
        optimizer.param_groups[0]["lr"] = lr * (1 - (step - 1) / steps)
        optimizer.zero_grad()
        (-(weights * likeness(guesses)).sum()).backward()
        optimizer.step()
        with torch.no_grad():
            guesses.clamp_(0, 1)
    return guesses.detach()


def most_parallel(samples: Tensor, weights: Tensor) -> Tensor:
    """For each of G guesses the sample with the largest weighted cosine to its own samples.

    That is the direction of the mean of unit vectors, exactly. Its length, on which no cosine
    depends, is the mean length, the shorter the less the samples agree.

    Args:
        samples: (G, K, *shape).
        weights: (G, K), not negative, each row of sum 1.

    Returns:
        (G, *shape).
    """
    flat = samples.flatten(2)
    lengths = (weights * flat.norm(dim=2)).sum(1, keepdim=True)
    direction = torch.einsum("gk,gkd->gd", weights, F.normalize(flat, dim=2))
    found: Tensor = lengths * direction
    return found.view(samples[:, 0].shape)
