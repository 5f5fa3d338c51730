"""A training step of LeNet-5, batch 64: what the MixCon loss adds to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks._timing import alternate, table
from mixcon import MixConLoss
from mixcon.models import build


def naive(z: Tensor, y: Tensor) -> Tensor:
    """Eq. 1 vectorized the obvious way: an N x N matrix of distances, and autograd."""
    rows = F.normalize(z.flatten(1), dim=1)
    same = y[:, None] == y[None, :]
    rank = same.tril(-1).sum(1)
    p, classes = same.sum(1).min(), (rank == 0).sum()
    pairs = (rank[:, None] == rank[None, :]) & ~same & (rank < p)[:, None]
    d = torch.cdist(rows, rows).square().clamp(1e-3, 1e3)
    return ((d + 1e-4 / d) * pairs).sum() / (p * classes * (classes - 1))


class Nothing(torch.autograd.Function):
    """The least that a loss with a gradient of its own costs: its graph node, and no arithmetic."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(torch.zeros_like(z))
        return z.new_zeros(())

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None]:
        (gradient,) = ctx.saved_tensors
        return outer * gradient, None


def stepper(loss: Callable[[Tensor, Tensor], Tensor] | None) -> Callable[[], None]:
    torch.manual_seed(0)
    model = build("lenet5", (1, 28, 28), 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))

    def step() -> None:
        z = model.release(x)
        total = F.cross_entropy(model.head(z), y)
        if loss is not None:
            total = total + loss(z, y)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    return step


def run() -> Iterator[str]:
    seconds = alternate(
        {
            "cross-entropy": stepper(None),
            "cross-entropy + MixConLoss": stepper(MixConLoss(beta=1e-4)),
            "cross-entropy + Eq. 1 vectorized naively": stepper(naive),
            "cross-entropy + a loss of no arithmetic": stepper(Nothing.apply),
        },
        rounds=1500,
    )
    yield from table(seconds, "cross-entropy")
