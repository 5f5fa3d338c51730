"""Cards of the page: one a run, or one for several runs that differ in a single number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mixcon.defenses import DefenseConfig

__all__ = ["Card", "cards_of"]

_WORDS = {
    "vanilla": ("Vanilla", "No defense: trained for the label alone."),
    "mixcon": ("MixCon", "The paper's loss, which adjusts how far representations lie apart."),
    "code+unicon": ("A few bits", "The recommended defense: a learned code of a few bits leaves."),
}


@dataclass
class Card:
    """Runs that stand together, with a dial between them if there is more than one.

    Attributes:
        title: what the page calls it.
        note: what it does, in a few words; empty for defenses that are not among the known.
        setting: the number in which its runs differ, as ``part.setting``; empty for a single run.
        runs: positions of the runs, by that number; the one shown first is `start`.
        values: that number of each.
        start: position in `runs`.
    """

    title: str
    note: str = ""
    setting: str = ""
    runs: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    start: int = 0


def cards_of(defenses: Sequence[DefenseConfig]) -> list[Card]:
    """Group runs by their defenses, in the order in which they come.

    The first run of a card is the one that it shows at first.
    """
    groups: list[list[int]] = []
    for run, defense in enumerate(defenses):
        group = next((g for g in groups if _fits(defense, [defenses[i] for i in g])), None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    return [_card(group, defenses) for group in groups]


def _fits(defense: DefenseConfig, others: Sequence[DefenseConfig]) -> bool:
    """Whether it differs from all of these in one number, the same for all."""
    different = {_difference(defense, other) for other in others}
    between = {_difference(others[0], other) for other in others[1:]}
    return len(different | between) == 1 and None not in different


def _difference(one: DefenseConfig, other: DefenseConfig) -> str | None:
    """The only number in which two defenses differ, as ``part.setting``; None if there is none."""
    if [part.name for part in one.parts] != [part.name for part in other.parts]:
        return None
    found = []
    for mine, theirs in zip(one.parts, other.parts, strict=True):
        names = mine.settings.keys() | theirs.settings.keys()
        odd = [n for n in names if mine.settings.get(n) != theirs.settings.get(n)]
        found += [(f"{mine.name}.{n}", mine.settings.get(n), theirs.settings.get(n)) for n in odd]
    if len(found) != 1 or not all(_is_number(value) for value in found[0][1:]):
        return None
    return found[0][0]


def _card(group: list[int], defenses: Sequence[DefenseConfig]) -> Card:
    name = defenses[group[0]].name
    title, note = _WORDS.get(name, (name, ""))
    if len(group) == 1:
        return Card(title, note, runs=group)
    setting = _difference(defenses[group[0]], defenses[group[1]]) or ""
    valued = sorted((_value(defenses[run], setting), run) for run in group)
    runs = [run for _, run in valued]
    return Card(title, note, setting, runs, [value for value, _ in valued], runs.index(group[0]))


def _value(defense: DefenseConfig, setting: str) -> float:
    name, _, key = setting.rpartition(".")
    return next(float(p.settings[key]) for p in defense.parts if p.name == name)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
