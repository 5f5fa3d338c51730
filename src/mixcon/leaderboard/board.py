"""Rows of the board: what a defense keeps, leaks, proves and costs; which are on the front."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from mixcon.attacks import Attack, strongest
from mixcon.audit import AttackRecord
from mixcon.kinds import Kind
from mixcon.leaderboard.entry import Entry
from mixcon.leaderboard.tuning import title_of
from mixcon.reports.figures import figures_of
from mixcon.reports.headline import Excess, beside, chooses
from mixcon.reports.summary import Summary

__all__ = ["UNDEFENDED", "BoardRow", "board_rows", "hypervolume", "on_front", "sweet_spot"]

UNDEFENDED = "vanilla"


@dataclass(frozen=True)
class BoardRow:
    """The entries that differ in nothing but the seed, in figures: means over the seeds.

    Attributes:
        entries: where they come from, one a seed.
        summaries: of each entry: accuracy, excess with its interval, floor, bits.
        lost: points of accuracy below the mean of the undefended entries on the same data and
            network; None where there is none.
        slower: training time as a multiple of theirs; None likewise, or where no seed of both was
            trained on machines of one kind. Times of busy ones do not compare, so it is rough.
    """

    entries: tuple[Entry, ...]
    summaries: tuple[Summary, ...]
    lost: float | None = None
    slower: float | None = None

    @property
    def title(self) -> str:
        """What is done against leaking."""
        return title_of(self.entries[0].config)

    @property
    def family(self) -> str:
        """The parts without their settings."""
        config = self.entries[0].config
        parts = [config.defense.name] if config.defense.parts else []
        marks = {
            "deeper cut": config.cut,
            "frozen encoder": config.frozen,
            "label smoothing": config.label_smoothing,
        }
        parts += [mark for mark, is_set in marks.items() if is_set]
        return "+".join(parts) or UNDEFENDED

    @property
    def course(self) -> tuple[str, str]:
        """Data, by the name that tells a subset, and network: what rows must share to compare."""
        first = self.entries[0]
        return first.report.models[0].data, first.config.network

    @property
    def accuracy(self) -> float:
        """Mean over the seeds, in [0, 1]."""
        return fmean(summary.accuracy for summary in self.summaries)

    @property
    def spread(self) -> float | None:
        """Standard deviation of the accuracy over seeds; None with one."""
        accuracies = [summary.accuracy for summary in self.summaries]
        return stdev(accuracies) if len(accuracies) > 1 else None

    @property
    def excess(self) -> tuple[float, float, float] | None:
        """Mean of the best single attack, and the ends of the widest interval."""
        return _mean([summary.found for summary in self.summaries])

    @property
    def per_image(self) -> tuple[float, float, float] | None:
        """Likewise, of the best attack of each image."""
        return _mean([summary.beside for summary in self.summaries])

    @property
    def worst(self) -> float:
        """Upper end of the excess; infinite where there is none."""
        return self.excess[2] if self.excess else float("inf")

    @property
    def bits(self) -> float | None:
        """Largest maximal leakage; None where one seed has no bound."""
        found = [s.bits.maximal_leakage if s.bits else None for s in self.summaries]
        proved = [bits for bits in found if bits is not None]
        return max(proved) if len(proved) == len(found) else None

    @property
    def saturated(self) -> bool | None:
        """Whether all audits are; None where one does not know."""
        found = [s.saturation.saturated if s.saturation else None for s in self.summaries]
        return None if None in found else all(found)

    def measured(self, metric: str) -> float | None:
        """Mean of a metric over victims and seeds, beside the headline."""
        found = [
            beside(entry.report.models[0], summary.found, metric)
            for entry, summary in zip(self.entries, self.summaries, strict=True)
            if summary.found
        ]
        values = [value for each in found if each for value in each.leakage]
        return fmean(values) if values else None

    def is_chosen_by(self, metric: str) -> bool:
        """Whether what is measured beside the headline is of an attack chosen by that metric."""
        return all(chooses(entry.report.models[0], metric) for entry in self.entries)

    @property
    def flaws(self) -> list[str]:
        """Why an audit of it is too weak for a gate, in clauses; empty where none is."""
        found = [s.evidence.flaws if s.evidence else ("no attack was run",) for s in self.summaries]
        return list(dict.fromkeys(flaw for flaws in found for flaw in flaws))

    @property
    def lacking(self) -> tuple[str, ...]:
        """Those of today's strongest attacks that an audit of it had not, or had as weaker ones."""
        return tuple(sorted(set[str]().union(*self._later())))

    def _later(self) -> Iterator[set[str]]:
        """For each entry what its audit neither ran as it is today nor says that it left out."""
        kind = self.entries[0].report.models[0].kind or Kind.IMAGE  # all there was before
        wanted = {attack.name: attack for attack in strongest(kind)}
        for entry, summary in zip(self.entries, self.summaries, strict=True):
            left_out = summary.evidence.missing if summary.evidence else wanted
            ran = {
                record.attack
                for record in entry.report.models[0].attacks
                if record.attack in wanted and _is_todays(record, wanted[record.attack])
            }
            yield wanted.keys() - ran - set(left_out)


def _is_todays(record: AttackRecord, attack: Attack[Any]) -> bool:
    """Whether an attack ran as it would today, but for its steps and for what it may choose."""
    usual = attack.settings
    chosen = {n for each in attack.candidates() for n, v in each.settings.items() if v != usual[n]}
    fixed = {n: v for n, v in usual.items() if n not in chosen and not n.endswith("steps")}
    return all(record.settings.get(name) == value for name, value in fixed.items())


def board_rows(entries: Sequence[Entry]) -> list[BoardRow]:
    """The rows by data set, then by what leaks least."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        config = entry.config
        groups.setdefault((config.data, config.network, title_of(config)), []).append(entry)
    bare = [
        BoardRow(tuple(group), tuple(figures_of(entry.report).models[0] for entry in group))
        for group in groups.values()
    ]
    rows = [_beside_undefended(row, bare) for row in bare]
    return sorted(rows, key=lambda row: (row.course, row.worst))


def on_front(row: BoardRow, rows: Sequence[BoardRow]) -> bool:
    """Whether no other row on the same data is at least as accurate and leaks less, or likewise.

    Leakage is compared by the upper end of the interval.
    """
    own = (-row.accuracy, row.worst)
    others = [(-r.accuracy, r.worst) for r in rows if r is not row and r.course == row.course]
    return not any(a <= own[0] and w <= own[1] and (a, w) != own for a, w in others)


def sweet_spot(rows: Sequence[BoardRow], points: float = 1.0) -> BoardRow | None:
    """The row that leaks least of those that lose at most so many points, to a tenth.

    Args:
        rows: of one data set and network.
        points: of accuracy, below the undefended entries.
    """
    near = [row for row in rows if row.lost is not None and round(row.lost, 1) <= points]
    return min(near, key=lambda row: row.worst, default=None)


def hypervolume(rows: Sequence[BoardRow], best: float, chance: float) -> float:
    """Share of all that could be kept and hidden that some of the rows reach, in [0, 1].

    The area that their points dominate in the plane of accuracy, from chance to the best of the
    board, and of what is hidden, 1 - excess by the upper end of its interval (Zitzler and Thiele,
    PPSN 1998).

    Args:
        rows: of one data set and network.
        best: accuracy that counts as all of it, in [0, 1].
        chance: accuracy of a guess, below `best`.
    """
    area, reached = 0.0, 0.0
    for row in sorted(rows, key=lambda row: row.worst):
        kept = min(1.0, (row.accuracy - chance) / (best - chance))
        area += max(0.0, kept - reached) * max(0.0, min(1.0, 1 - row.worst))
        reached = max(reached, kept)
    return area


def _beside_undefended(row: BoardRow, rows: Sequence[BoardRow]) -> BoardRow:
    plain = [r for r in rows if r.family == UNDEFENDED and r.course == row.course]
    if not plain:
        return row
    lost = 100 * (plain[0].accuracy - row.accuracy)
    return BoardRow(row.entries, row.summaries, lost, _slower(row, plain[0]))


def _slower(row: BoardRow, plain: BoardRow) -> float | None:
    """Mean over the seeds that both have from machines of one kind."""
    usual = {_run(entry): entry.manifest.train_seconds for entry in plain.entries}
    found = [
        e.manifest.train_seconds / (usual[_run(e)] or 1.0) for e in row.entries if _run(e) in usual
    ]
    return fmean(found) if found else None


def _run(entry: Entry) -> tuple[int, str]:
    return entry.config.seed, entry.trained_on


def _mean(found: Sequence[Excess | None]) -> tuple[float, float, float] | None:
    known = [each for each in found if each is not None]
    if not known:
        return None
    ends = [each.interval or (each.value, each.value) for each in known]
    return fmean(each.value for each in known), min(e[0] for e in ends), max(e[1] for e in ends)
