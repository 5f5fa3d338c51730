"""The board as Markdown, made from the entries alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from mixcon.audit import ModelRecord
from mixcon.leaderboard.board import (
    UNDEFENDED,
    BoardRow,
    hypervolume,
    on_front,
    sweet_spot,
)
from mixcon.leaderboard.claims import claims
from mixcon.leaderboard.tuning import choices_files, network_of, read_choices
from mixcon.reports.sheets import FrontPanel, FrontPoint, front_panels

__all__ = ["FRONTS", "fronts_picture", "leaderboard_page"]

FRONTS = "fronts.svg"
"""Name of the picture, beside the entries."""

_HEAD = """\
# Leaderboard

Defenses of split networks, each audited by the full set of strong attacks. This page is made by
`mixcon leaderboard page` from the signed entries beside it; no number was typed by hand.

*Excess*: how far the best single attack, chosen on the attacker's own samples, goes from the best
guess from the class alone (0) to an exact copy (1), with its 95 % interval over the victims. *Per
image*: likewise, the best attack of each image over the best of as many guesses. *Bits*: maximal
leakage, proved for every attacker; seeing z multiplies the chance of any guess by at most 2^bits.
*Named*: victims that a reconstruction names among 1,001 candidates of all classes; *in class*:
among up to 1,001 of their own class; by the attack that names the attacker's own samples best, or,
after a ≥, by the headline's, in audits from before the others were asked. *Bytes*: what leaves for
one input. *Device*: millions of multiply-adds on the device for one input. *Training*: time, and as
a multiple of the undefended one's; measured on busy machines, so it is rough. *Front*: no other row
is as accurate and leaks as little, by the upper end of the interval. Rows of several seeds show
means, the deviation of the accuracy and the widest interval.

*Hypervolume*: how much of all that could be kept (accuracy above chance, up to the best of the
board) and hidden (1 - upper end of the excess) the rows of a family reach together; 1 is all.
"""

_SWEET = """\
## The sweet spots

Of the rows that lose at most one point of accuracy, to a tenth, the one that leaks least by the
upper end of the interval.
"""

_FOOT = """\
## How they were chosen

`mixcon reproduce frontier` gives every defense up to four settings, trains each with a tenth of the
training samples held out, and takes the most private one that loses at most a point of accuracy
there; no attack and no test sample has a say. Accuracies on held-out samples:

{choices}
Entries with other settings were added by hand, by the steps below.

## What the papers claim

Beside what is measured here, on other data and networks than theirs.

{claims}
## Add an entry

```sh
mixcon train --data mnist --defense "..." --out runs/mine
mixcon leaderboard add runs/mine --board {board}
```

`add` audits the run by all of the strongest attacks on the same 100 victims as every entry, signs
run and audit, and writes this page anew. `mixcon leaderboard rescore --attack mine.attacks:Sharper`
audits every entry again, by a new attack as well.

`mixcon leaderboard verify ENTRY` checks signature and hashes, measures the accuracy again, and
attacks victims drawn after the entry was made; it fails where they leak more than the entry says.
"""

_COLUMNS = (
    ("Defense", ":--"),
    ("Accuracy", "--:"),
    ("Points lost", "--:"),
    ("Excess", "--:"),
    ("Per image", "--:"),
    ("Bits", "--:"),
    ("Named", "--:"),
    ("In class", "--:"),
    ("Bytes", "--:"),
    ("Device", "--:"),
    ("Training", "--:"),
    ("Saturated", ":--"),
    ("Front", ":--"),
)
_SHOWN_FIRST = (0, 1, 2, 3, 5, 7)


def leaderboard_page(rows: Sequence[BoardRow], board: Path, page: Path) -> str:
    """The page of a board.

    Args:
        rows: as `board_rows` gives them of its entries.
        board: where they lie.
        page: where the page will lie; its links start there.
    """
    picture = board / FRONTS
    shown = f"![Accuracy and excess]({os.path.relpath(picture, page.parent)})\n"
    courses = [(course, list(own)) for course, own in groupby(rows, key=lambda row: row.course)]
    parts = [_HEAD, _sweet_spots([own for _, own in courses], page)]
    parts += [shown] if picture.is_file() else []
    for (data, network), own in courses:
        parts += [f"## {data}, {network}\n", _table(own, page), _families(own)]
    parts.append(_FOOT.format(board=board, choices=_choices(board), claims=_claims(rows)))
    return "\n".join(parts)


def fronts_picture(rows: Sequence[BoardRow]) -> bytes:
    """Accuracy against excess leakage, a panel a data set, as SVG.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    panels = [
        FrontPanel(f"{data}, {network}", [_point(row, rows) for row in own if row.excess])
        for (data, network), own in groupby(rows, key=lambda row: row.course)
    ]
    return front_panels(panels, "accuracy (%)", "excess leakage")


def _point(row: BoardRow, rows: Sequence[BoardRow]) -> FrontPoint:
    value, low, high = row.excess or (0.0, 0.0, 0.0)
    front = on_front(row, rows)
    named = front or row.family in {UNDEFENDED, "mixcon"}
    return FrontPoint(row.family if named else "", 100 * row.accuracy, value, (low, high), front)


def _sweet_spots(courses: Sequence[Sequence[BoardRow]], page: Path) -> str:
    """Of each data set what leaks least among the rows that lose little."""
    columns = (("Data", ":--"), *(_COLUMNS[i] for i in _SHOWN_FIRST))
    cells = []
    for rows in courses:
        if best := sweet_spot(rows):
            row = _cells(best, rows, page)
            cells.append([best.course[0], *(row[i] for i in _SHOWN_FIRST)])
    return "\n".join([_SWEET, *_grid(columns, cells), ""])


def _table(rows: Sequence[BoardRow], page: Path) -> str:
    return "\n".join(
        [
            *_grid(_COLUMNS, [_cells(row, rows, page) for row in rows]),
            *_doubts(rows),
            *_older(rows),
            "",
        ]
    )


def _grid(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> list[str]:
    head = [[title for title, _ in columns], [side for _, side in columns]]
    return ["| " + " | ".join(cells) + " |" for cells in [*head, *rows]]


def _cells(row: BoardRow, rows: Sequence[BoardRow], page: Path) -> list[str]:
    first = row.entries[0]
    link = os.path.relpath(first.folder, page.parent)
    costs = first.manifest
    seeds = f", {len(row.entries)} seeds" if len(row.entries) > 1 else ""
    spread = "" if row.spread is None else f" ± {100 * row.spread:.1f}"
    slower = "" if row.slower is None else f", {row.slower:.1f}x"
    return [
        f"[{row.title}]({link}){seeds}",
        f"{row.accuracy:.1%}{spread}",
        "" if row.lost is None else f"{row.lost:z.1f}",
        _excess(row.excess),
        _excess(row.per_image),
        "no bound" if row.bits is None else f"{row.bits:.1f}",
        _named(row, "reidentification"),
        _named(row, "reidentification_in_class"),
        f"{costs.wire_bytes:,}",
        "" if costs.multiply_adds is None else f"{costs.multiply_adds / 1e6:.2f}",
        f"{costs.train_seconds:.0f} s{slower}",
        {True: "yes", False: "no", None: "unknown"}[row.saturated],
        "front" if on_front(row, rows) else "",
    ]


def _named(row: BoardRow, metric: str) -> str:
    value = row.measured(metric)
    if value is None:
        return ""
    shown = f"{value:.0%}"
    return shown if row.is_chosen_by(metric) or shown == "100%" else f"≥ {shown}"


def _excess(found: tuple[float, float, float] | None) -> str:
    return "" if found is None else f"{found[0]:z.3f} [{found[1]:z.3f}, {found[2]:z.3f}]"


def _doubts(rows: Sequence[BoardRow]) -> list[str]:
    return [f"\n{row.title}: weak evidence, {'; '.join(row.flaws)}." for row in rows if row.flaws]


def _older(rows: Sequence[BoardRow]) -> list[str]:
    """Which rows an attack of today might raise, by an audit of which it is missing."""
    attacks = dict.fromkeys(name for row in rows for name in row.lacking)
    lines = []
    for name in attacks:
        older = [row.title for row in rows if name in row.lacking]
        which = "all rows" if len(older) == len(rows) else "; ".join(older)
        lines.append(f"\nAudited without `{name}`, or with an earlier one: {which}.")
    return lines


def _families(rows: Sequence[BoardRow]) -> str:
    """The hypervolume of each family of defenses, and of all."""
    best = max(row.accuracy for row in rows)
    chance = max(s.chance or 0.0 for row in rows for s in _records(row))
    families: dict[str, list[BoardRow]] = {"all": list(rows)}
    for row in rows:
        families.setdefault(row.family, []).append(row)
    found = {name: hypervolume(own, best, chance) for name, own in families.items()}
    ordered = sorted(found.items(), key=lambda item: -item[1])
    columns = (("Family", ":--"), ("Hypervolume", "--:"))
    return "\n".join([*_grid(columns, [(name, f"{value:.3f}") for name, value in ordered]), ""])


def _records(row: BoardRow) -> list[ModelRecord]:
    return [entry.report.models[0] for entry in row.entries]


def _choices(board: Path) -> str:
    """How the setting of each defense was chosen, a table a data set."""
    lines = []
    for path in choices_files(board):
        rows = []
        for name, choice in read_choices(path).items():
            tried = [
                f"**{title}** {value:.1%}" if title == choice.chosen else f"{title} {value:.1%}"
                for title, value in choice.tried.items()
            ]
            rows.append((name, "; ".join(tried)))
        where = f"{path.parent.name}, {network_of(path)}"
        columns = (("Defense", ":--"), (f"Tried on {where}, **taken**", ":--"))
        lines += [*_grid(columns, rows), ""]
    return "\n".join(lines)


def _claims(rows: Sequence[BoardRow]) -> str:
    """Each paper's claim beside the rows that its part is in."""
    cells = []
    for part, claim in claims().items():
        own = [row for row in rows if part in row.family.split("+")]
        measured = "; ".join(
            f"{row.course[0]} {row.accuracy:.1%}, excess {row.excess[0]:z.2f}"
            for row in own
            if row.excess
        )
        cells.append((part, f"{claim.claim} ({claim.source})", measured or "not yet"))
    columns = (("Part", ":--"), ("Claim", ":--"), ("Here", ":--"))
    return "\n".join([*_grid(columns, cells), ""])
