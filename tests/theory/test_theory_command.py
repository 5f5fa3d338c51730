"""`mixcon theory` as a user runs it."""

import subprocess
import sys

import pytest

from mixcon.theory import dimacs, random_e3sat

pytestmark = pytest.mark.smoke


def run(*words):
    return subprocess.run(
        [sys.executable, "-m", "mixcon", "theory", *map(str, words)],
        capture_output=True, text=True, timeout=300, check=False,
        env={"COLUMNS": "200", "PATH": ""},
    )  # fmt: skip


@pytest.fixture
def formula(tmp_path):
    path = tmp_path / "formula.cnf"
    path.write_text(dimacs(random_e3sat(10, 20, bound=8, seed=0)))
    return path


def test_solver_and_attack_side_by_side(formula):
    done = run(formula, "--bound", 10**7, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    rows = {line.split("  ")[0].strip(): line.split() for line in done.stderr.splitlines()}
    assert rows["SAT solver"][-4:] == ["20", "of", "20", "(100.00%)"]
    assert rows["gradient attack, 64 starts"][-4:] == ["20", "of", "20", "(100.00%)"]
    assert "20 clauses, B = 10,000,000" in done.stderr
    assert "at most 300,000,000" in done.stderr
    assert "Satisfiable: an x with h(x) = z exists." in done.stderr
    assert "Theorem B.10 promises 87.66%." in done.stderr


def test_unsatisfiable(tmp_path):
    path = tmp_path / "never.cnf"
    path.write_text("p cnf 2 4\n1 2 0\n1 -2 0\n-1 2 0\n-1 -2 0\n")
    done = run(path, "--rounds", 1)
    assert done.returncode == 0, done.stderr
    assert "no x has h(x) = z" in done.stderr
    assert "3 of 4 (75.00%)" in done.stderr
    assert "clauses of exactly three literals" in done.stderr


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        ("p cnf 3 2\n1 2 3 0\n1 2 x 0\n", [], "bad.cnf:3: expected literals"),
        ("p cnf 3 1\n1 2 3 0\n1 2 -3 0\n", [], "bad.cnf:3: expected 1 clauses"),
        ("p cnf 3 2\n1 2 3 0\n1 2 -3 0\n", ["--bound", 1], "expected B >= 2"),
        ("p cnf 3 1\n1 2 3 0\n", ["--limit", 0], "positive time limit"),
        (None, [], "expected a DIMACS file, but got: No such file"),
    ],
)
def test_bad_input_is_one_line_and_code_2(tmp_path, content, words, message):
    path = tmp_path / "bad.cnf"
    if content:
        path.write_text(content)
    done = run(path, *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
