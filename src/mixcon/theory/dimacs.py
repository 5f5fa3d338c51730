"""The DIMACS format: text files of formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from mixcon.errors import DataError
from mixcon.theory.cnf import MOST_VARIABLES, Cnf, clause_problem

__all__ = ["dimacs", "parse_dimacs", "read_dimacs"]

_HEADER = re.compile(r"p\s+cnf\s+([0-9]{1,9})\s+([0-9]{1,9})")
_INTEGER = re.compile(r"-?[0-9]{1,9}")


def read_dimacs(path: Path) -> Cnf:
    """The formula in a DIMACS file.

    Raises:
        DataError: no such file, or one that is not strictly DIMACS; the message starts with
            the path and the number of the line.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: expected a DIMACS file, but got: {error.strerror}") from error
    return parse_dimacs(text, str(path))


def parse_dimacs(text: str, source: str = "text") -> Cnf:
    r"""The formula in a DIMACS text.

    Lines that start with c are comments; ``p cnf VARIABLES CLAUSES`` comes before all clauses; a
    clause is literals and a closing 0, over as many lines as it likes. A line with % ends the
    text, as in the files of SATLIB. A literal that a clause repeats counts once; a clause with a
    literal and its negation always holds, and is left out.

    Args:
        text: the lines.
        source: what error messages call it.

    Raises:
        DataError: not so; the message starts with the source and the number of the line.

    Example:
        >>> parse_dimacs("c example\np cnf 3 2\n1 2 3 0\n-1 -2 3 0").clauses
        ((1, 2, 3), (-1, -2, 3))
    """
    lines = _Lines(text, source)
    variables, count = _header(lines)
    clauses = tuple(_clauses(lines, variables, count))
    if len(clauses) < count:
        lines.fail(f"expected {count} clauses, but the text ends after {len(clauses)}")
    open_ = tuple(clause for clause in clauses if not _always_holds(clause))
    if not open_:
        lines.fail("expected a clause that can fail, but every one has a literal and its negation")
    return Cnf(variables, open_)


def _always_holds(clause: tuple[int, ...]) -> bool:
    return any(-literal in clause for literal in clause)


def dimacs(cnf: Cnf) -> str:
    """The formula as a DIMACS text, one clause a line."""
    lines = [f"p cnf {cnf.variables} {len(cnf.clauses)}"]
    lines += [" ".join(map(str, (*clause, 0))) for clause in cnf.clauses]
    return "\n".join(lines) + "\n"


class _Lines:
    """The lines that are not comments, and where we are."""

    def __init__(self, text: str, source: str) -> None:
        self.source, self.number = source, 0
        self._lines = text.removeprefix("\ufeff").split("\n")  # some editors write the mark

    def __iter__(self) -> Iterator[str]:
        while self.number < len(self._lines):
            line = self._lines[self.number].strip()
            if line == "%":
                return
            self.number += 1
            if line and not line.startswith("c"):
                yield line

    def fail(self, problem: str) -> NoReturn:
        raise DataError(f"{self.source}:{max(self.number, 1)}: {problem}")


def _header(lines: _Lines) -> tuple[int, int]:
    line = next(iter(lines), "")
    match = _HEADER.fullmatch(line)
    if not match:
        lines.fail(f"expected 'p cnf VARIABLES CLAUSES', but got {line[:40]!r}")
    variables, count = map(int, match.groups())
    if not 1 <= variables <= MOST_VARIABLES or count < 1:
        lines.fail(f"expected 1 to {MOST_VARIABLES} variables and a clause, but got {line!r}")
    return variables, count


def _clauses(lines: _Lines, variables: int, count: int) -> Iterator[tuple[int, ...]]:
    clause: list[int] = []
    done = 0
    for line in lines:
        for word in line.split():
            if not _INTEGER.fullmatch(word):
                lines.fail(f"expected literals, whole numbers, but got {word[:40]!r}")
            if done == count:
                lines.fail(f"expected {count} clauses, as the header says, but got more")
            if int(word):
                clause.append(int(word))
                continue
            literals = tuple(dict.fromkeys(clause))
            problem = clause_problem(tuple({abs(i): i for i in literals}.values()), variables)
            if problem:
                lines.fail(problem)
            yield literals
            clause, done = [], done + 1
    if clause:
        lines.fail("expected 0 at the end of the last clause, but the text ends")
