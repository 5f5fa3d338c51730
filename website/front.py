"""The front of the leaderboard, for the page that helps to choose."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["MARK", "front"]

MARK = "<!-- front of the leaderboard -->"
"""Where in a page its table goes."""

_COLUMNS = ("Defense", "Accuracy", "Points lost", "Excess", "Bits", "Bytes")


def front(leaderboard: str) -> str:
    """The rows that are on the front of their data set, in one table.

    Args:
        leaderboard: its page, as `mixcon leaderboard page` writes it.
    """
    lines = ["| Data | " + " | ".join(_COLUMNS) + " |", "| :-- | :-- |" + " --: |" * 5]
    for data, row in _rows(leaderboard):
        if row.get("Front") == "front":
            lines.append(f"| {data} | " + " | ".join(row[column] for column in _COLUMNS) + " |")
    return "\n".join(lines)


def _rows(page: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each row of each table by column, beside the heading that it stands under."""
    heading, titles = "", []
    for line in page.splitlines():
        if line.startswith("## "):
            heading, titles = line.removeprefix("## "), []
        elif line.startswith("|") and not titles:
            titles = _cells(line)
        elif line.startswith("|") and not line.startswith("| :--"):
            yield heading, dict(zip(titles, _cells(line), strict=True))
        elif not line:
            titles = []


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
