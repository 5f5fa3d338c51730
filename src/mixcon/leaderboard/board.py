"""The rows of the board: what each entry keeps, leaks, proves and costs; which are on the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from mixcon.leaderboard.entry import Entry
from mixcon.reports.figures import figures_of
from mixcon.reports.summary import Summary

__all__ = ["BoardRow", "board_rows", "on_front"]

UNDEFENDED = "vanilla"


@dataclass(frozen=True)
class BoardRow:
    """One entry in figures.

    Attributes:
        entry: where they come from.
        summary: accuracy, excess with its interval, floor, bits and what a gate says.
        lost: points of accuracy below the mean of the undefended entries on the same data and
            network; None where there is none.
        reidentified: share of victims whose reconstruction by the headline's attack names them
            among the audit's candidates; None where it was not measured.
    """

    entry: Entry
    summary: Summary
    lost: float | None
    reidentified: float | None

    @property
    def trustworthy(self) -> bool:
        """Whether its audit is strong enough for a gate."""
        evidence = self.summary.evidence
        return evidence is not None and not evidence.flaws

    @property
    def worst(self) -> float:
        """Upper end of the interval of the excess; infinite where there is none."""
        return self.summary.interval[1] if self.summary.interval else float("inf")


def board_rows(entries: Sequence[Entry]) -> list[BoardRow]:
    """The rows by data set, then by what leaks least."""
    summaries = [figures_of(entry.report).models[0] for entry in entries]
    rows = [
        BoardRow(
            entry,
            summary,
            _lost(entry, summary, entries, summaries),
            _reidentified(entry, summary),
        )
        for entry, summary in zip(entries, summaries, strict=True)
    ]
    return sorted(rows, key=lambda row: (row.entry.config.data, row.worst))


def on_front(row: BoardRow, rows: Sequence[BoardRow]) -> bool:
    """Whether no other entry on the same data is at least as accurate and leaks less, or likewise.

    Leakage is compared by the upper end of the interval.
    """
    same = (r for r in rows if r is not row and r.entry.config.data == row.entry.config.data)
    accuracy = row.summary.accuracy
    return not any(
        r.summary.accuracy >= accuracy
        and r.worst <= row.worst
        and (r.summary.accuracy, r.worst) != (accuracy, row.worst)
        for r in same
    )


def _lost(
    entry: Entry, summary: Summary, entries: Sequence[Entry], summaries: Sequence[Summary]
) -> float | None:
    plain = [
        s.accuracy
        for e, s in zip(entries, summaries, strict=True)
        if str(e.config.defense) == UNDEFENDED
        and (e.config.data, e.config.network) == (entry.config.data, entry.config.network)
    ]
    return 100 * (fmean(plain) - summary.accuracy) if plain else None


def _reidentified(entry: Entry, summary: Summary) -> float | None:
    found = summary.found
    attacks = entry.report.models[0].attacks
    chosen = [attack for attack in attacks if found and attack.attack == found.attack]
    values = chosen[0].leakage.get("reidentification") if chosen else None
    return fmean(values) if values else None
