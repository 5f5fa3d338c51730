"""One result as Markdown: the paper's numbers beside ours, row by row, and what holds."""

from __future__ import annotations

from statistics import fmean, stdev

from mixcon.paper._experiment import Check, Result, Row
from mixcon.paper.orderings import Ordering, orderings

__all__ = ["comparison", "where_and_how"]

_NOTHING = "–"  # noqa: RUF001  an en dash is what stands for an empty cell in print


def comparison(result: Result) -> str:
    """Notes, rows, orderings and checks of one result, without a heading."""
    parts = [
        f"Scale *{result.scale}*: {result.ran}. Seeds {', '.join(map(str, result.seeds))}.",
        "\n".join(f"- {note}" for note in result.notes),
        _rows_table(result),
        _orderings_table(list(orderings(result.rows).values())),
        _checks_list(result.checks),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def where_and_how(result: Result) -> str:
    """The command, the machine, the time and the versions, as one paragraph."""
    env = result.environment
    versions = ", ".join(f"{name} {version}" for name, version in env.versions.items())
    return (
        f"`{env.command}`: {_duration(result.seconds)} on {env.machine}, started {env.started}; "
        f"{versions}.\n"
    )


def _rows_table(result: Result) -> str:
    rows = result.rows
    attacked = any(row.strongest for row in rows)
    grouped = any(row.group for row in rows)
    printed = any(row.paper is not None for row in rows)
    titles = [
        *(["Data"] if grouped else []),
        "Setting",
        "Quantity",
        *(["Paper"] if printed else []),
        "Ours, paper's attack" if attacked else "Ours",
        *(["Difference"] if printed else []),
        *(["Ours, strongest attack", "Label-only floor"] if attacked else []),
    ]
    lines = [_line(row, grouped, printed, attacked) for row in rows]
    return _table(titles, lines, left=3 if grouped else 2) if rows else ""


def _line(row: Row, grouped: bool, printed: bool, attacked: bool) -> list[str]:
    return [
        *([row.group] if grouped else []),
        row.setting,
        row.quantity,
        *([_number(row.paper, row.places)] if printed else []),
        _over_seeds(row.ours, row.places),
        *([_difference(row)] if printed else []),
        *([_over_seeds(row.strongest, row.places)] if attacked else []),
        *([_over_seeds(row.floor, row.places)] if attacked else []),
    ]


def _orderings_table(found: list[Ordering]) -> str:
    if not found:
        return ""
    attacked = any(o.strongest is not None for o in found)
    titles = ["Quantity", "The paper's order", "Holds"]
    titles += ["Under the strongest attack"] if attacked else []
    lines = [
        [
            f"{o.group} {o.quantity}".strip(),
            o.paper,
            f"{_yes(o.pairs)} ({sum(o.seeds)} of {len(o.seeds)} seeds)",
            *([_NOTHING if o.strongest is None else _yes(o.strongest)] if attacked else []),
        ]
        for o in found
    ]
    return _table(titles, lines, left=2)


def _checks_list(checks: list[Check]) -> str:
    return "\n".join(
        f"- {_verdict(check)} {check.claim} {check.measured}".rstrip() for check in checks
    )


def _verdict(check: Check) -> str:
    held, of = sum(check.holds), len(check.holds)
    if held in (0, of):
        return "**Holds.**" if held else "**Does not hold.**"
    return f"**Holds in {held} of {of}.**"


def _table(titles: list[str], lines: list[list[str]], left: int) -> str:
    rule = [":--"] * left + ["--:"] * (len(titles) - left)
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, rule, *lines])


def _over_seeds(values: list[float] | None, places: int) -> str:
    """The mean over seeds, and their standard deviation if there are several."""
    if not values:
        return _NOTHING
    mean = _number(fmean(values), places)
    return mean if len(values) == 1 else f"{mean} ± {_number(stdev(values), places)}"


def _difference(row: Row) -> str:
    return _NOTHING if row.paper is None else f"{fmean(row.ours) - row.paper:+.{row.places}f}"


def _number(value: float | None, places: int) -> str:
    return _NOTHING if value is None else f"{value:z.{places}f}"


def _yes(pairs: list[bool]) -> str:
    if all(pairs):
        return "yes"
    return "**no**" if len(pairs) == 1 else f"**{sum(pairs)} of {len(pairs)} pairs**"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
