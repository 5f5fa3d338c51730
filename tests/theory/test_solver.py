"""The SAT solver at the door."""

import sys
import time

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.theory import Cnf, random_e3sat, satisfying_assignments, solve


def test_it_agrees_with_enumeration():
    for seed in range(20):
        cnf = random_e3sat(8, 44, bound=30, seed=seed)
        solved, every = solve(cnf), satisfying_assignments(cnf)
        assert solved.satisfiable == (len(every) > 0)
        assert (solved.assignment is None) == (not solved.satisfiable)
        if solved.satisfiable:
            assert cnf.unsatisfied(solved.assignment[None]).item() == 0
            assert (every == solved.assignment).all(1).any()


def test_variables_in_no_clause_have_a_value():
    solved = solve(Cnf(5, ((2,), (-3,))))
    assert solved.assignment.shape == (5,)
    assert solved.assignment[[1, 2]].tolist() == [True, False]


def test_it_gives_up_in_time():
    hard = random_e3sat(600, 2556, bound=60, seed=3)
    started = time.monotonic()
    solved = solve(hard, limit=0.2)
    assert solved.satisfiable is None
    assert solved.assignment is None
    assert time.monotonic() - started < 30


def test_too_many_assignments_and_bad_limits_are_refused():
    with pytest.raises(ConfigError, match="at most 10 satisfying"):
        satisfying_assignments(Cnf(9, ((1,),)), most=10)
    with pytest.raises(ConfigError, match="positive time limit"):
        solve(Cnf(1, ((1,),)), limit=0)


def test_without_python_sat_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    with pytest.raises(ConfigError, match=r"pip install 'mixcon\[theory\]'"):
        solve(Cnf(1, ((1,),)))
    assert torch.equal(Cnf(1, ((1,),)).unsatisfied(torch.tensor([[True]])), torch.tensor([0]))
