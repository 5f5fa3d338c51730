"""The soundness claim of Theorem B.10, each inequality with the B it holds for."""

from __future__ import annotations

import math

from torch import Tensor

from mixcon.theory.reduction import ReductionNetwork

__all__ = [
    "guaranteed_fraction",
    "holds_as_stated",
    "rounding_loss",
    "stated_distance",
    "stated_fraction",
    "unsatisfied_bound",
]


def stated_distance(network: ReductionNetwork) -> float:
    """sqrt(m2) / (60 B): within it of z, the theorem promises a good assignment."""
    return math.sqrt(network.stated_outputs) / (60 * network.bound)


def stated_fraction(bound: int) -> float:
    """7/8 + 5/sqrt(B): the share of clauses that the theorem promises.

    Promised for exactly three literals a clause, n <= 3 m, and a B that `holds_as_stated`. To
    satisfy more than 7/8 is what is hard: a random guess satisfies 7/8 of the clauses on average.
    """
    return 7 / 8 + 5 / math.sqrt(bound)


def rounding_loss(network: ReductionNetwork) -> float:
    """At most how much rounding x to its nearest corner adds to ||h(x) - z||^2; inequality (6).

    For every B and every x in [-1, 1]^n, with D_i = 1 - abs(x_i) and o_i <= B clauses that
    variable i is in, the proof's steps give

        ||h(corner) - z||^2 - ||h(x) - z||^2 <= sum_i (2 o_i D_i - 100 B^2 D_i^2)
                                             <= sum_i o_i^2 / (100 B^2),

    which is returned. The paper goes on to n / 100 (from o_i <= B) and to 3 m / 100 (from
    n <= 3 m); as all o_i add up to 3 m, it is also at most 3 m / (100 B).
    """
    return float(network.cnf.occurrences.square().sum()) / network.copies


def unsatisfied_bound(network: ReductionNetwork, x: Tensor) -> Tensor:
    """At most how many clauses the rounding of each x leaves unsatisfied, (N, n) to (N,).

    ||h(x) - z||^2 + `rounding_loss`; holds for every B and every x in [-1, 1]^n.
    """
    return network.distance(x).square() + rounding_loss(network)


def guaranteed_fraction(network: ReductionNetwork) -> float:
    """Share of clauses satisfied by the rounding of any x within `stated_distance`; for every B.

    1 - (m2 / (3600 B^2) + `rounding_loss`) / m. As m2 = m + 100 B^2 n this is at least
    1 - n / (36 m) - 1 / (3600 B^2) - n / (100 m). The paper's next line prints 1 / (36 B^2) for
    the third term, a slip that does no harm.
    """
    lost = stated_distance(network) ** 2 + rounding_loss(network)
    return 1 - lost / len(network.cnf.clauses)


def holds_as_stated(bound: int) -> bool:
    """Whether B is large enough for the last step of the proof, the only one that asks for it.

    With n <= 3 m the share of unsatisfied clauses is at most 1/12 + 1/(3600 B^2) + 3/100, and
    this is at most 1/8 - 5/sqrt(B) from B = 183,674 on. The paper asks for B >= 10^7 (and prints
    1/(5 sqrt(B)) for 5/sqrt(B)). At a smaller B all lines above hold, with less to show.
    """
    return 1 / 12 + 1 / (3600 * bound**2) + 3 / 100 <= 1 - stated_fraction(bound)
