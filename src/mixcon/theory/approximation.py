"""What it means to invert a network approximately: the paper's two notions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.theory.reduction import ReductionNetwork

__all__ = ["solution_epsilon", "value_epsilon"]


def solution_epsilon(x: Tensor, solutions: Tensor) -> Tensor:
    """The least epsilon for which x is an epsilon-approximate solution (Definition B.8).

    That is the distance to the nearest solution over sqrt(n). The definition ranges over all x*
    with h(x*) = z: given some of them, the result is an upper bound, given all, it is exact.

    Args:
        x: points in [-1, 1]^n, (N, n).
        solutions: points with h(x*) = z, (K, n), K >= 1.

    Returns:
        Epsilon of each x, (N,).
    """
    _check(x)
    if len(solutions) < 1:
        raise ConfigError("expected at least one solution, but got none")
    gaps = torch.cdist(x, solutions.to(x))
    return gaps.amin(1) / math.sqrt(x.shape[1])


def value_epsilon(network: ReductionNetwork, x: Tensor) -> Tensor:
    """The least epsilon for which x is epsilon-approximate of value (Definition B.9).

    That is ||h(x) - z|| / sqrt(m2), where m2 counts the outputs of the literal form. An epsilon-
    approximate solution is G sqrt(n / m2) epsilon-approximate of value if h is G-Lipschitz. The
    paper says G epsilon, which is right but loose, for sqrt(n / m2) < 1 / (10 B): with its G of
    30 B this is 3 epsilon, so that already a 1/(180 B)-approximate solution is hard to find, not
    only one of Omega(1/B^2).

    Args:
        network: h_phi with its target.
        x: points in [-1, 1]^n, (N, n).

    Returns:
        Epsilon of each x, (N,).
    """
    _check(x)
    return network.distance(x) / math.sqrt(network.stated_outputs)


def _check(x: Tensor) -> None:
    if x.abs().max() > 1:
        raise ConfigError(f"expected x in [-1, 1]^n, but got {x.abs().max():g} in magnitude")
