"""Formulas in conjunctive normal form, and how many of their clauses an assignment satisfies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mixcon.errors import DataError

__all__ = ["MOST_VARIABLES", "Cnf", "clause_problem"]

MOST_VARIABLES = 10_000_000


@dataclass(frozen=True)
class Cnf:
    """A formula phi: all clauses hold, and a clause holds if one of its literals does.

    Attributes:
        variables: how many there are, n; they are called 1 to n.
        clauses: one tuple of literals each: i stands for variable i, -i for its negation. No
            clause is empty or names a variable twice.

    Raises:
        DataError: there is no variable or no clause, or a clause is not as said.

    Example:
        >>> phi = Cnf(3, ((1, 2, 3), (-1, -2, 3)))
        >>> phi.occurrences.tolist(), phi.bound, phi.exactly_three
        ([2, 2, 2], 2, True)
        >>> phi.unsatisfied(torch.tensor([[True, True, False]])).tolist()
        [1]
    """

    variables: int
    clauses: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not 1 <= self.variables <= MOST_VARIABLES:
            raise DataError(f"expected 1 to {MOST_VARIABLES} variables, but got {self.variables}")
        if not self.clauses:
            raise DataError("expected at least one clause, but got none")
        for number, clause in enumerate(self.clauses, 1):
            problem = clause_problem(clause, self.variables)
            if problem:
                raise DataError(f"clause {number}: {problem}")

    @cached_property
    def occurrences(self) -> Tensor:
        """In how many clauses each variable occurs, int64 (n,)."""
        used = [abs(literal) - 1 for clause in self.clauses for literal in clause]
        return torch.bincount(torch.tensor(used), minlength=self.variables)

    @property
    def bound(self) -> int:
        """The least B for which this is an instance of SAT(B): the most frequent variable's."""
        return int(self.occurrences.max())

    @property
    def exactly_three(self) -> bool:
        """Whether each clause has three literals, as MAXE3SAT asks."""
        return all(len(clause) == 3 for clause in self.clauses)

    def unsatisfied(self, assignments: Tensor) -> Tensor:
        """How many clauses each assignment leaves unsatisfied, bool (N, n) to int64 (N,)."""
        variable, wanted = self._literals
        return (assignments[:, variable] != wanted).all(2).sum(1)

    @cached_property
    def _literals(self) -> tuple[Tensor, Tensor]:
        """Variable and satisfying value of each literal, (m, widest); short clauses repeat one."""
        widest = max(map(len, self.clauses))
        table = torch.tensor([c + c[:1] * (widest - len(c)) for c in self.clauses])
        return table.abs() - 1, table > 0


def clause_problem(clause: tuple[int, ...], variables: int) -> str | None:
    """What keeps these literals from being a clause over so many variables; None if nothing."""
    if not clause:
        return "expected at least one literal, but got an empty clause"
    for literal in clause:
        if not 1 <= abs(literal) <= variables:
            return f"expected literals of variables 1 to {variables}, but got {literal}"
    names = [abs(literal) for literal in clause]
    twice = [name for name in names if names.count(name) > 1]
    return f"expected different variables, but got {twice[0]} twice" if twice else None
