"""`mixcon theory` as a user runs it."""

import subprocess
import sys

import pytest

from mixcon import cli
from mixcon.theory import dimacs, random_e3sat

pytestmark = pytest.mark.smoke


@pytest.fixture
def run(monkeypatch, capsys):
    """The command in this process: exit code, and what it shows, as one line."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["mixcon", "theory", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code, " ".join(capsys.readouterr().err.split())

    return call


@pytest.fixture
def formula(tmp_path):
    path = tmp_path / "formula.cnf"
    path.write_text(dimacs(random_e3sat(10, 20, bound=8, seed=0)))
    return path


def test_in_a_shell(formula):
    done = subprocess.run(
        [sys.executable, "-m", "mixcon", "theory", str(formula), "--rounds", "1"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Satisfiable: an x with h(x) = z exists." in done.stderr
    assert "try --bound 10000000" in " ".join(done.stderr.split())


def test_solver_and_attack_side_by_side(formula, run):
    code, shown = run(formula, "--bound", 10**7, "--rounds", 1)
    assert code == 0, shown
    solver, attack = shown.split("SAT solver ")[1].split("gradient attack, 64 starts ")
    assert " 0 0 20 of 20 (100.00%)" in solver
    assert " 0 0 20 of 20 (100.00%)" in attack
    assert "20 clauses, B = 10,000,000" in shown
    assert "200,000,000,000,000,020 hidden neurons, 100,000,000,000,000,020 outputs" in shown
    assert "at most 200,000,000; the paper says at most 300,000,000" in shown
    assert "Theorem B.10 promises 87.66%." in shown


def test_unsatisfiable(tmp_path, run):
    path = tmp_path / "never.cnf"
    path.write_text("p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n")
    code, shown = run(path, "--rounds", 1)
    assert code == 0, shown
    assert "no x has h(x) = z" in shown
    assert "3 of 4 (75.00%)" in shown
    assert "clauses of exactly three literals" in shown


def test_undecided(tmp_path, run):
    path = tmp_path / "hard.cnf"
    path.write_text(dimacs(random_e3sat(220, 950, bound=60, seed=3)))
    code, shown = run(path, "--rounds", 1, "--limit", 0.01)
    assert code == 0, shown
    assert "Not decided: the solver ran out of its 0.01 s." in shown


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("p cnf 3 2\n1 2 3 0\n1 2 x 0\n", [], "bad.cnf:3: expected literals"),
        ("p cnf 3 1\n1 2 3 0\n1 2 -3 0\n", [], "bad.cnf:3: expected 1 clauses"),
        ("p cnf 3 2\n1 2 3 0\n1 2 -3 0\n", ["--bound", 1], "expected B >= 2"),
        (None, [], "expected a DIMACS file, but got: No such file"),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, content, words, message, run):
    path = tmp_path / "bad.cnf"
    if content:
        path.write_text(content)
    code, shown = run(path, *words)
    assert code == 2
    assert message in shown
    assert shown.startswith("error: ")
