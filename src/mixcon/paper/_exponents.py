"""How fast work grows with the number of variables: exponents of 2, each with a 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import linregress, t

from mixcon.paper._experiment import Check

__all__ = ["Exponent", "attack_exponent", "exponents_by_ratio", "outgrown", "solver_exponent"]

_CHI_SQUARE = 3.841  # of one degree of freedom, at 95 %
_SLOPES = np.linspace(0, 1, 501)  # bits a variable
_LEVELS = np.linspace(-80, 20, 1001)  # bits: log2 of successes a start at n = 0 is minus these


@dataclass(frozen=True)
class Exponent:
    """Work grows as 2^(value n), from `low` to `high`; `high` is None where data set no end."""

    value: float
    low: float
    high: float | None

    def __str__(self) -> str:
        end = "up" if self.high is None else f"to {self.high:.3f}"
        return f"2^({self.value:.3f} n), 95 % interval {self.low:.3f} {end}"


def attack_exponent(
    sizes: Sequence[int], batches: Sequence[int], inverted: Sequence[bool], starts: int
) -> Exponent:
    """Of the number of random starts that one success takes.

    A start succeeds at rate r(n) = 2^-(level + slope n), so a batch of S of them with probability
    1 - exp(-S r). Maximum likelihood over a grid, with the interval of the profile likelihood: it
    takes in networks that were never inverted, and batches in which several starts may succeed.

    Args:
        sizes: n of each network.
        batches: how many were tried on it, the last of which succeeded if any did.
        inverted: whether it did.
        starts: in a batch.
    """
    level, slope = _LEVELS[:, None], _SLOPES[None]
    likelihood = np.zeros((len(_LEVELS), len(_SLOPES)))
    cases, counts = np.unique(
        np.column_stack([sizes, batches, inverted]), axis=0, return_counts=True
    )
    for (n, tried, success), count in zip(cases, counts, strict=True):
        expected = starts * np.exp2(np.clip(-(level + slope * n), -200, 200))
        failed = -(tried - success) * expected
        found = np.log(-np.expm1(-expected)) if success else 0.0
        likelihood += count * (failed + found)
    profile = likelihood.max(0)
    inside = _SLOPES[2 * (profile.max() - profile) <= _CHI_SQUARE]
    high = None if inside[-1] == _SLOPES[-1] else float(inside[-1])
    return Exponent(float(_SLOPES[profile.argmax()]), float(inside[0]), high)


def solver_exponent(sizes: Sequence[int], conflicts: Sequence[int]) -> Exponent:
    """Of the number of conflicts, plus one, that a solver runs into: least squares of its log2."""
    fit = linregress(sizes, np.log2(1 + np.asarray(conflicts)))
    half = t.ppf(0.975, len(sizes) - 2) * fit.stderr
    return Exponent(float(fit.slope), float(fit.slope - half), float(fit.slope + half))


def exponents_by_ratio(
    records: Sequence[dict[str, Any]], starts: int
) -> dict[float, tuple[Exponent, Exponent]]:
    """Ratio to the exponents of attack and solver, wherever some networks resist.

    Args:
        records: of the formulas, as the experiment keeps them.
        starts: in a batch of the attack.
    """
    found = {}
    for ratio in sorted({r["ratio"] for r in records}):
        cell = [r for r in records if r["ratio"] == ratio]
        attacked = [r for r in cell if r["satisfiable"]]
        inverted = [r["gradient"]["unsatisfied"] == 0 for r in attacked]
        if len(set(inverted)) < 2:
            continue
        batches = [r["gradient"]["starts"] // starts for r in attacked]
        attack = attack_exponent([r["n"] for r in attacked], batches, inverted, starts)
        conflicts = [r["solver"]["conflicts"] for r in cell]
        found[ratio] = (attack, solver_exponent([r["n"] for r in cell], conflicts))
    return found


def outgrown(exponents: dict[float, tuple[Exponent, Exponent]]) -> list[Check]:
    """Whether the attack's work outgrows the solver's; nothing where there is no exponent."""
    if not exponents:
        return []
    claim = (
        "At each ratio the work of the attack grows faster with n than the solver's: the intervals "
        "of their exponents do not touch."
    )
    apart = [
        solver.high is not None and attack.low > solver.high
        for attack, solver in exponents.values()
    ]
    return [Check(claim=claim, holds=apart)]
