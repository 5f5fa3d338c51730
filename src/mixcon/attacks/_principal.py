"""Principal directions of many numbers, without their covariance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["principal"]


def principal(rows: Tensor, count: int, least: float) -> tuple[Tensor, Tensor]:
    """Mean, (d,), and a root, (d, k), of the covariance of rows along its largest directions.

    Args:
        rows: samples, (M, d); their products, (M, M), are what is decomposed.
        count: k at most.
        least: variance that every direction is given on top.
    """
    mean = rows.mean(0)
    products = rows @ rows.mT  # of the rows less their mean, without a copy of them
    products = products - products.mean(0) - products.mean(1, keepdim=True) + products.mean()
    values, vectors = torch.linalg.eigh(products.double() / max(1, len(rows) - 1))
    few = vectors[:, -min(count, rows.shape[1]) :].to(rows)
    directions = nn.functional.normalize(rows.mT @ few - mean[:, None] * few.sum(0), dim=0)
    return mean, directions * (values[-few.shape[1] :].clamp_min(0) + least).sqrt().to(rows)
