"""How much a reduction network can stretch: its Lipschitz constant is of order B."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.theory.reduction import ReductionNetwork

__all__ = ["lipschitz_bounds", "spectral_norm", "stated_lipschitz_bound"]


def spectral_norm(matrix: Tensor, *, iterations: int = 1000, seed: int = 0) -> float:
    """||A||, the largest singular value, by power iteration on A^T A; from below.

    Args:
        matrix: A, sparse or dense, two-dimensional.
        iterations: how many products with A and with A^T.
        seed: draws the first vector.
    """
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(matrix.shape[1], 1, generator=generator, dtype=torch.float64).to(matrix)
    for _ in range(iterations):
        v = matrix.T @ (matrix @ (v / v.norm()))
    return float((matrix @ (v / v.norm())).norm())


def lipschitz_bounds(network: ReductionNetwork) -> tuple[float, float]:
    """Numbers that the Lipschitz constant of h_phi lies between: 10 B and ||W2|| ||W1||.

    It is at least 10 B: along an axis inside of a region where no clause is near to being
    unsatisfied, the copies alone change by sqrt(100 B^2). The upper number lies below
    `stated_lipschitz_bound`, so that the constant is of order B from both sides.
    """
    return 10.0 * network.bound, spectral_norm(network.w2) * spectral_norm(network.w1)


def stated_lipschitz_bound(network: ReductionNetwork) -> float:
    """2 sqrt(200 B^2 + 3 B) <= 30 B, the paper's bound on ||W2|| ||W1||.

    Paper, end of the proof of Theorem B.10, which calls both factors ||W2|| by a slip: 2 bounds
    ||W2||, which is sqrt(2), and sqrt(200 B^2 + 3 B) <= 15 B bounds ||W1||. Wider clauses than
    three literals take the place of the 3.
    """
    widest = max(map(len, network.cnf.clauses))
    return 2 * math.sqrt(200 * network.bound**2 + widest * network.bound)
