"""A SAT solver, which inverts a reduction network exactly."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.theory.cnf import Cnf

__all__ = ["Solved", "satisfying_assignments", "solve"]


@dataclass(frozen=True)
class Solved:
    """What a solver found out.

    Attributes:
        satisfiable: None if it ran out of time.
        assignment: a satisfying one, bool (n,); None if there is none, or none was found.
        seconds: processor time; the limit if it ran out of time.
        conflicts: how many dead ends it met, the solver's own measure of effort.
    """

    satisfiable: bool | None
    assignment: Tensor | None
    seconds: float
    conflicts: int


def solve(cnf: Cnf, *, limit: float = 60.0) -> Solved:
    """Satisfy a formula, or prove that nothing does, with the solver Glucose 4 from python-sat.

    Args:
        cnf: the formula.
        limit: seconds after which to give up.

    Raises:
        ConfigError: python-sat is not installed, or the limit not positive.
    """
    if not limit > 0:
        raise ConfigError(f"expected a positive time limit, but got {limit:g}")
    with _glucose(cnf) as solver, ThreadPoolExecutor(1) as pool:
        running = pool.submit(_timed, solver)
        try:
            satisfiable, seconds = running.result(limit)
        except TimeoutError:
            satisfiable, seconds = None, limit
        finally:
            solver.interrupt()  # also on Ctrl-C, which would wait for the thread
        assignment = _assignment(solver.get_model(), cnf) if satisfiable else None
        running.exception()  # waits: a solver that still runs has no figures to give
        return Solved(satisfiable, assignment, seconds, solver.accum_stats()["conflicts"])


def _timed(solver: Any) -> tuple[bool | None, float]:
    started = time.thread_time()
    satisfiable = solver.solve_limited(expect_interrupt=True)
    return satisfiable, time.thread_time() - started


def satisfying_assignments(cnf: Cnf, *, most: int = 10_000) -> Tensor:
    """All satisfying assignments, bool (K, n); for small formulas.

    Args:
        cnf: the formula.
        most: how many to put up with.

    Raises:
        ConfigError: there are more, or python-sat is not installed.
    """
    found: list[Tensor] = []
    with _glucose(cnf) as solver:
        for model in solver.enum_models():
            if len(found) == most:
                raise ConfigError(f"expected at most {most} satisfying assignments, but got more")
            found.append(_assignment(model, cnf))
    return torch.stack(found) if found else torch.zeros(0, cnf.variables, dtype=torch.bool)


def _glucose(cnf: Cnf) -> Any:
    try:
        from pysat.solvers import Glucose4  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ConfigError(
            "expected a SAT solver, but python-sat is not installed: pip install 'mixcon[theory]'"
        ) from None
    last = cnf.variables  # always true, the extra clause tells of variables in no clause
    return Glucose4(bootstrap_with=[*cnf.clauses, (last, -last)])


def _assignment(model: list[int], cnf: Cnf) -> Tensor:
    return torch.tensor(model[: cnf.variables]) > 0
