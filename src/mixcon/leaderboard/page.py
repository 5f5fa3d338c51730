"""The board as Markdown, made from the entries alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from mixcon.leaderboard.board import BoardRow, board_rows, on_front
from mixcon.leaderboard.entry import Entry
from mixcon.leaderboard.tuning import title_of
from mixcon.reports.headline import Excess

__all__ = ["leaderboard_page"]

_HEAD = """\
# Leaderboard

Defenses of split networks, each audited by the full set of strong attacks. This page is made by
`mixcon leaderboard page` from the signed entries beside it; no number was typed by hand.

*Excess*: how far the best single attack, chosen on the attacker's own samples, goes from the best
guess from the class alone (0) to an exact copy (1), with its 95 % interval over the victims. *Per
image*: likewise, the best attack of each image over the best of as many guesses. *Bits*: maximal
leakage, proved for every attacker; seeing z multiplies the chance of any guess by at most 2^bits.
*Named*: victims that the reconstruction names among 1,001 candidates of all classes. *Front*: no
other entry is as accurate and leaks as little, by the upper end of the interval.
"""

_FOOT = """\
## Add an entry

```sh
mixcon train --data mnist --defense "..." --out runs/mine
mixcon audit runs/mine --out runs/mine/audit
mixcon leaderboard add runs/mine --board {board}
mixcon leaderboard page --board {board} --out {page}
```

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
    ("Bytes", "--:"),
    ("Training", "--:"),
    ("Saturated", ":--"),
    ("Front", ":--"),
)


def leaderboard_page(entries: Sequence[Entry], board: Path, page: Path) -> str:
    """The page of a board.

    Args:
        entries: its entries.
        board: where they lie.
        page: where the page will lie; its links start there.
    """
    rows = board_rows(entries)
    parts = [_HEAD]
    for data, group in groupby(rows, key=lambda row: row.entry.config.data):
        parts.append(_table(data, list(group), page))
    parts.append(_FOOT.format(board=board, page=page))
    return "\n".join(parts)


def _table(data: str, rows: Sequence[BoardRow], page: Path) -> str:
    lines = [
        f"## {data}\n",
        "| " + " | ".join(title for title, _ in _COLUMNS) + " |",
        "| " + " | ".join(side for _, side in _COLUMNS) + " |",
        *("| " + " | ".join(_cells(row, rows, page)) + " |" for row in rows),
    ]
    return "\n".join([*lines, *_doubts(rows), ""])


def _cells(row: BoardRow, rows: Sequence[BoardRow], page: Path) -> list[str]:
    summary, entry = row.summary, row.entry
    name = title_of(entry.config) + (f", seed {entry.config.seed}" if entry.config.seed else "")
    link = os.path.relpath(entry.folder, page.parent)
    bits = summary.bits.maximal_leakage if summary.bits else None
    saturated = summary.saturation.saturated if summary.saturation else None
    return [
        f"[{name}]({link})",
        f"{summary.accuracy:.1%}",
        "" if row.lost is None else f"{row.lost:z.1f}",
        _excess(summary.found),
        _excess(summary.beside),
        "no bound" if bits is None else f"{bits:.1f}",
        "" if row.reidentified is None else f"{row.reidentified:.0%}",
        f"{entry.manifest.wire_bytes:,}",
        f"{entry.manifest.train_seconds:.0f} s",
        {True: "yes", False: "no", None: "unknown"}[saturated],
        "front" if on_front(row, rows) else "",
    ]


def _excess(found: Excess | None) -> str:
    if found is None:
        return ""
    interval = found.interval
    ends = f" [{interval[0]:z.3f}, {interval[1]:z.3f}]" if interval else ""
    return f"{found.value:z.3f}{ends}"


def _doubts(rows: Sequence[BoardRow]) -> list[str]:
    weak = [row for row in rows if not row.trustworthy]
    return [
        f"\n{title_of(row.entry.config)}: weak evidence, {'; '.join(row.summary.evidence.flaws)}."
        for row in weak
        if row.summary.evidence
    ]
