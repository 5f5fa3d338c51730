"""Formulas, their files, and random ones."""

import contextlib
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mixcon.errors import ConfigError, DataError
from mixcon.theory import Cnf, dimacs, parse_dimacs, random_e3sat, read_dimacs


@st.composite
def formulas(draw):
    n = draw(st.integers(1, 8))
    literals = st.integers(1, n).flatmap(lambda i: st.sampled_from([i, -i]))
    clause = st.lists(literals, min_size=1, max_size=min(n, 4), unique_by=abs).map(tuple)
    return Cnf(n, tuple(draw(st.lists(clause, min_size=1, max_size=12))))


def by_hand(cnf, assignment):
    return sum(not any(assignment[abs(i) - 1] == (i > 0) for i in c) for c in cnf.clauses)


@given(formulas())
def test_unsatisfied_counts_as_by_hand(cnf):
    every = list(itertools.product([False, True], repeat=cnf.variables))
    counted = cnf.unsatisfied(torch.tensor(every)).tolist()
    assert counted == [by_hand(cnf, assignment) for assignment in every]


@given(formulas())
def test_dimacs_round_trip(cnf):
    assert parse_dimacs(dimacs(cnf)) == cnf


def test_dimacs_as_found_in_the_wild(tmp_path):
    header = "c SATLIB, \xe9\r\n\r\n p cnf  4 3 \r\nc in between\r\n"
    text = header + " 1 -2\r\n3 0 2 -3 4 0\n-4 0\n%\n0\n\n"
    path = tmp_path / "wild.cnf"
    path.write_bytes(text.encode("latin-1"))
    assert read_dimacs(path) == Cnf(4, ((1, -2, 3), (2, -3, 4), (-4,)))


def test_dimacs_with_a_mark_tabs_repeats_and_tautologies(tmp_path):
    path = tmp_path / "odd.cnf"
    text = "\ufeffp\tcnf \t3\t4\n1\t2 1 0\n-3 1 3 0\n2 2 2 0\n-1 -3\t0\n"
    path.write_text(text, encoding="utf-8")
    cnf = read_dimacs(path)
    assert cnf == Cnf(3, ((1, 2), (2,), (-1, -3)))
    every = list(itertools.product([False, True], repeat=3))
    asked = [[1, 2, 1], [-3, 1, 3], [2, 2, 2], [-1, -3]]  # as it was written
    holds = [all(any(a[abs(i) - 1] == (i > 0) for i in c) for c in asked) for a in every]
    assert (cnf.unsatisfied(torch.tensor(every)) == 0).tolist() == holds


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected 'p cnf VARIABLES CLAUSES'"),
        ("c only\nc comments", 2, "expected 'p cnf VARIABLES CLAUSES'"),
        ("1 2 3 0\np cnf 3 1", 1, "expected 'p cnf VARIABLES CLAUSES', but got '1 2 3 0'"),
        ("p dnf 3 1\n1 2 3 0", 1, "expected 'p cnf"),
        ("p cnf 3\n1 2 3 0", 1, "expected 'p cnf"),
        ("p cnf 3 -1\n1 2 3 0", 1, "expected 'p cnf"),
        ("p cnf 3 0", 1, "variables and a clause, but got 'p cnf 3 0'"),
        ("p cnf 3 1\np cnf 3 1\n1 2 3 0", 2, "whole numbers, but got 'p'"),
        ("p cnf 3 1\n\n1 2 x 0", 3, "whole numbers, but got 'x'"),
        ("p cnf 3 1\n1 2 3.0 0", 2, "but got '3.0'"),
        ("p cnf 3 1\n1 2 " + "9" * 5000 + " 0", 2, "but got '9999"),
        ("p cnf 3 1\n1 2 4 0", 2, "variables 1 to 3, but got 4"),
        ("p cnf 3 1\n1 2 -4 0", 2, "variables 1 to 3, but got -4"),
        ("p cnf 3 1\n1 -1 2 0", 2, "every one has a literal and its negation"),
        ("p cnf 3 1\n1 -1 4 0", 2, "variables 1 to 3, but got 4"),
        ("p cnf 3 1\n0", 2, "empty clause"),
        ("p cnf 3 2\n1 2 3 0\n1 2 -3", 3, "expected 0 at the end"),
        ("p cnf 3 2\n1 2 3 0\n", 3, "expected 2 clauses, but the text ends after 1"),
        ("p cnf 3 1\n1 2 3 0\n-1 0", 3, "expected 1 clauses, as the header says"),
        ("p cnf 999999999 1\n1 2 3 0", 1, "1 to 10000000 variables"),
    ],
)
def test_bad_dimacs_says_where_and_what(text, line, message):
    with pytest.raises(DataError) as caught:
        parse_dimacs(text, "bad.cnf")
    assert str(caught.value).startswith(f"bad.cnf:{line}: ")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.text(alphabet="pcnf 0123-%\n\t\x00x\ufeff", max_size=60))
def test_any_text_is_a_formula_or_a_clear_error(text):
    with contextlib.suppress(DataError):  # and nothing else
        assert 1 <= len(parse_dimacs("p cnf 3 2\n" + text).clauses) <= 2


def test_no_such_file(tmp_path):
    with pytest.raises(
        DataError, match=r"none\.cnf: expected a DIMACS file, but got: No such file"
    ):
        read_dimacs(tmp_path / "none.cnf")


@pytest.mark.parametrize(
    ("variables", "clauses", "message"),
    [(0, ((1,),), "variables"), (2, (), "one clause"), (2, ((1,), (3,)), "clause 2: .* got 3")],
)
def test_bad_formulas_are_refused(variables, clauses, message):
    with pytest.raises(DataError, match=message):
        Cnf(variables, clauses)


@settings(deadline=None)
@given(st.data(), st.integers(3, 30), st.integers(1, 9), st.integers(0, 2**32))
def test_random_instances_keep_their_promise(data, variables, bound, seed):
    clauses = data.draw(st.one_of(st.just(variables * bound // 3), st.integers(1, variables)))
    if not 0 < 3 * clauses <= variables * bound:
        return
    cnf = random_e3sat(variables, clauses, bound=bound, seed=seed)
    assert len(cnf.clauses) == clauses
    assert cnf.exactly_three  # of different variables, which Cnf itself sees to
    assert cnf.bound <= bound
    assert cnf == random_e3sat(variables, clauses, bound=bound, seed=seed)


def test_random_instances_differ_by_seed_and_are_unbiased():
    drawn = [random_e3sat(10, 40, bound=40, seed=seed) for seed in range(50)]
    assert len(set(drawn)) == 50
    literals = torch.tensor([cnf.clauses for cnf in drawn]).flatten()
    assert (literals > 0).double().mean().item() == pytest.approx(0.5, abs=0.03)
    counts = torch.bincount(literals.abs())[1:].double() / len(literals)
    assert counts.tolist() == pytest.approx([0.1] * 10, abs=0.015)


@pytest.mark.parametrize(("n", "m", "bound"), [(2, 1, 5), (6, 5, 2), (5, 0, 3), (5, 1, 0)])
def test_impossible_instances_are_refused(n, m, bound):
    with pytest.raises(ConfigError, match=f"got {n} variables, {m} clauses, bound {bound}"):
        random_e3sat(n, m, bound=bound, seed=0)
