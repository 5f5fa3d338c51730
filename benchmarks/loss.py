"""The loss alone, forward and backward, on 10 classes x 100 members x 4,096 numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from pytorch_metric_learning.losses import ContrastiveLoss
from torch import Tensor
from torch.nn import functional as F

from benchmarks._timing import alternate, table
from mixcon import MixConLoss

CLASSES, MEMBERS, NUMBERS = 10, 100, 4096


def loops(z: Tensor, y: Tensor) -> Tensor:
    """Eq. 1 as three loops."""
    rows = F.normalize(z, dim=1)
    members = [(y == c).nonzero().flatten() for c in range(CLASSES)]
    total = torch.zeros(())
    for i in range(MEMBERS):
        for a in range(CLASSES):
            for b in range(CLASSES):
                if a != b:
                    d = (rows[members[a][i]] - rows[members[b][i]]).square().sum()
                    d = d.clamp(1e-3, 1e3)
                    total = total + d + 1e-4 / d
    return total / (MEMBERS * CLASSES * (CLASSES - 1))


def run() -> Iterator[str]:
    z = torch.randn(CLASSES * MEMBERS, NUMBERS)
    y = torch.arange(CLASSES * MEMBERS) % CLASSES
    contrastive = ContrastiveLoss()

    def both_ways(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], None]:
        def call() -> None:
            leaf = z.clone().requires_grad_()
            loss(leaf, y).backward()

        return call

    mine = MixConLoss(beta=1e-4, eps=1e-3)
    assert torch.isclose(mine(z, y), loops(z, y), rtol=1e-4)
    seconds = alternate(
        {
            "MixConLoss": both_ways(mine),
            "Eq. 1 as three loops": both_ways(loops),
            "pytorch-metric-learning ContrastiveLoss": both_ways(contrastive),
        },
        rounds=3,
    )
    yield from table(seconds, "MixConLoss")
