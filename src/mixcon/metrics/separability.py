"""Separability of representations (Definition 3.1), streamed: never an N x N matrix."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.metrics._samples import check_class_labels, check_finite, check_samples, rescaled

__all__ = ["Separability", "mixed_pairs", "separability"]


@dataclass(frozen=True)
class Separability:
    """Euclidean distances between representations.

    Attributes:
        minimum: delta_h, the smallest distance over all pairs.
        maximum: Delta_H, the largest distance over the given pairs.
        mean: the mean distance over all pairs (Figure 3).
        normalized: whether representations were scaled to unit L2 norm first.
        count: number of representations.
    """

    minimum: float
    maximum: float
    mean: float
    normalized: bool
    count: int


def separability(
    z: Tensor, *, pairs: Tensor | None = None, normalize: bool = False, chunk: int = 2048
) -> Separability:
    """Measure the distances between representations, in float64.

    Time is O(N^2 m), memory O(N m + chunk^2).

    Args:
        z: representations, (N, ...), N >= 2.
        pairs: the set S of pairs that are meant to be close, int64 (P, 2); all pairs by default.
        normalize: scale representations to unit L2 norm first.
        chunk: rows compared at once.

    Raises:
        ConfigError: fewer than two representations, or no pairs of their positions.
        NonFiniteError: NaN or infinity in z.

    Source: Li et al., MixCon, Definition 3.1.
    """
    check_samples("representations", z)
    rows = z.detach().flatten(1).double()
    if len(rows) < 2 or chunk < 1:
        raise ConfigError(
            f"expected two representations or more, and a chunk of 1 or more, but got {len(rows)} "
            f"and {chunk}"
        )
    if pairs is not None:
        _check_pairs(pairs, len(rows))
    check_finite(representations=rows)
    if normalize:
        rows = F.normalize(rescaled(rows), dim=1)
    minimum, maximum, total = _all_pairs(rows - rows.mean(0), chunk)
    if pairs is not None:
        maximum = max(_distance(rows, part).max().item() for part in pairs.split(chunk))
    count = len(rows)
    return Separability(minimum, maximum, total / (count * (count - 1) / 2), normalize, count)


def _check_pairs(pairs: Tensor, count: int) -> None:
    fits = pairs.ndim == 2 and pairs.shape[1] == 2 and not pairs.is_floating_point()
    if not fits or not len(pairs) or not 0 <= pairs.min() <= pairs.max() < count:
        raise ConfigError(
            f"expected a pair or more of positions from 0 to {count - 1}, int64 (P, 2), but got "
            f"{pairs.dtype} of shape {tuple(pairs.shape)}"
        )


def _all_pairs(rows: Tensor, chunk: int) -> tuple[float, float, float]:
    """Smallest and largest distance, and the sum of all, over i < j."""
    square = rows.square().sum(1)
    minimum, maximum, total = float("inf"), 0.0, 0.0
    for i in range(0, len(rows), chunk):
        for j in range(i, len(rows), chunk):
            a, b = rows[i : i + chunk], rows[j : j + chunk]
            d = (square[i : i + chunk, None] + square[j : j + chunk] - 2 * a @ b.mT).clamp_min_(0)
            upper = torch.ones_like(d, dtype=torch.bool).triu(1 if i == j else -len(d))
            if not upper.any():
                continue
            maximum = max(maximum, d[upper].max().item())
            total += d[upper].sqrt().sum().item()
            # The expanded square cancels for near neighbors: measure the nearest pair anew.
            nearest = int(d.masked_fill(~upper, float("inf")).argmin())
            pair = torch.tensor([[i + nearest // len(b), j + nearest % len(b)]])
            minimum = min(minimum, _distance(rows, pair.to(rows.device)).item())
    return minimum, maximum**0.5, total


def _distance(rows: Tensor, pairs: Tensor) -> Tensor:
    difference = rows[pairs[:, 0]] - rows[pairs[:, 1]]
    return difference.square().sum(1).sqrt()


def mixed_pairs(labels: Tensor) -> Tensor:
    """The pairs that MixCon pulls together: the i-th members of different classes.

    Args:
        labels: classes, int64 (N,).

    Returns:
        Positions, int64 (P, 2), each unordered pair once, smaller position first; P = p K (K - 1)
        / 2 for K classes, p the size of the smallest.

    Raises:
        ConfigError: no labels, or labels that are not integers, (N,).
    """
    check_class_labels("representations", labels, labels.numel())
    if not len(labels):
        raise ConfigError("expected a label or more, but got none")
    ordered, order = labels.sort(stable=True)
    counts = ordered.unique_consecutive(return_counts=True)[1]
    starts = counts.cumsum(0) - counts
    members = torch.arange(int(counts.min()), device=labels.device)
    groups = order[starts + members[:, None]]
    a, b = torch.triu_indices(len(counts), len(counts), offset=1, device=labels.device)
    return torch.stack([groups[:, a].flatten(), groups[:, b].flatten()], 1).sort(dim=1).values
