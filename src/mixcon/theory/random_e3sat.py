"""Random instances of E3SAT(B)."""

from __future__ import annotations

import numpy as np

from mixcon.errors import ConfigError
from mixcon.theory.cnf import Cnf

__all__ = ["random_e3sat"]


def random_e3sat(variables: int, clauses: int, *, bound: int, seed: int) -> Cnf:
    """A random formula whose clauses have exactly three variables, each in at most B clauses.

    Each clause takes three different variables, all equally likely among those that have not
    reached B, and negates each with probability 1/2. Without reach of the bound this is the usual
    random 3SAT, which turns unsatisfiable at about 4.27 clauses a variable.

    Args:
        variables: n, at least 3.
        clauses: m, at least 1 and at most n B / 3.
        bound: B, at least 1.
        seed: draws the same formula again.

    Raises:
        ConfigError: there is no such formula.

    Example:
        >>> random_e3sat(6, 4, bound=2, seed=0).occurrences.tolist()
        [2, 2, 2, 2, 2, 2]
    """
    if variables < 3 or clauses < 1 or bound < 1 or 3 * clauses > variables * bound:
        raise ConfigError(
            f"expected at least 3 variables, 1 clause and 3 * clauses <= variables * bound, but "
            f"got {variables} variables, {clauses} clauses, bound {bound}"
        )
    rng = np.random.default_rng(seed)
    room = np.full(variables, bound)
    drawn = [_draw(room, left, rng) for left in range(clauses, 0, -1)]
    signs = rng.choice([-1, 1], (clauses, 3))
    return Cnf(variables, tuple(map(tuple, (signs * (np.array(drawn) + 1)).tolist())))


def _draw(room: np.ndarray, left: int, rng: np.random.Generator) -> np.ndarray:
    """Three variables for the next of `left` clauses, such that the others still find theirs.

    `left` clauses can be filled if and only if the sum of min(room, left) is at least 3 left. A
    variable with room for all of them takes part of that sum whether drawn or not; of the
    others, only so many may be drawn as keep the sum high enough for the rest.
    """
    ample = room >= left
    allowed = np.minimum(room, left).sum() - 3 * (left - 1) - ample.sum()
    drawn = rng.choice(np.flatnonzero(room), 3, replace=False)
    if (~ample[drawn]).sum() > allowed:
        scarce = rng.choice(np.flatnonzero(~ample & (room > 0)), allowed, replace=False)
        rest = rng.choice(np.flatnonzero(ample), 3 - allowed, replace=False)
        drawn = np.concatenate([scarce, rest])
    room[drawn] -= 1
    return drawn
