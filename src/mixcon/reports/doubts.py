"""Doubts: where an audit cannot know, and what is said in place of a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mixcon.metrics import metric_named
from mixcon.reports.figures import Defense
from mixcon.reports.summary import Summary

__all__ = ["Judged", "caveats", "judge", "no_verdict"]

_LEAKS = 0.6
"""From this excess on even a weak audit shows that the inputs are not hidden."""


@dataclass(frozen=True)
class Judged:
    """The models of one defense, and what speaks against a verdict on them.

    Attributes:
        summary: their figures, those of several seeds pooled.
        doubts: why their audit is no proof, see `Evidence.flaws`; of any seed.
        guesses: whether one of them is at chance.
        miscalibrated: whether the audit is wrong where the right value is known.
    """

    summary: Summary
    doubts: tuple[str, ...]
    guesses: bool
    miscalibrated: bool = False

    @property
    def is_known(self) -> bool:
        """Whether the audit shows what its figures say: it is sound, or found a leak anyway."""
        excess = self.summary.excess
        if self.guesses or self.miscalibrated:
            return False
        return not self.doubts or (excess is not None and excess >= _LEAKS)


def judge(defense: Defense) -> Judged:
    """What the audits of the models of one defense say together."""
    evidence = [each.evidence for each in defense.models if each.evidence]
    doubts = dict.fromkeys(flaw for each in evidence for flaw in each.flaws)
    return Judged(
        defense.whole,
        tuple(doubts),
        guesses=any(each.guesses for each in evidence),
        miscalibrated=any(each.miscalibrated for each in evidence),
    )


def no_verdict(judged: Judged, metric: str) -> list[str]:
    """What is said of models whose audit cannot know: two sentences."""
    summary, scale = judged.summary, metric_named(metric)
    worth = f"{100 * summary.accuracy:.1f} % of the test inputs correctly"
    if judged.guesses:
        leaks = ""
        if summary.leakage is not None and (summary.excess or 0.0) >= _LEAKS:
            back = scale.in_words(summary.leakage)
            leaks = f" As it is, what it sends gives the inputs away ({back})."
        return [
            f"No verdict on {summary.model}: it classifies {worth}, which cannot be told from "
            "guessing, and a model that learned nothing shows nothing of what it would hide."
            + leaks,
            "Train it until it beats guessing, and audit it again.",
        ]
    if judged.miscalibrated:
        return [
            f"No verdict on {summary.model}: this audit measures wrongly where the right value is "
            "known, so its other figures cannot be trusted.",
            f"The model classifies {worth}; find out what went wrong, and audit it again.",
        ]
    measured = ""
    if summary.leakage is not None and summary.floor is not None:
        measured = (
            f" ({scale.in_words(summary.leakage)}; a guess from the class alone gets "
            f"{scale.text(summary.floor)})"
        )
    return [
        f"No verdict on {summary.model}: that the attacks of this audit got so little{measured} "
        "does not show that the inputs are hidden.",
        f"The model classifies {worth}; audit it in full before you rely on it to hide the inputs.",
    ]


def caveats(judged: Sequence[Judged]) -> list[str]:
    """A sentence on why the audit is no proof that the inputs are hidden, if it is none."""
    names: dict[tuple[str, ...], list[str]] = {}
    for each in judged:
        names.setdefault(each.doubts, []).append(each.summary.model)
    if set(names) == {()}:
        return []
    reasons = [
        ("" if len(names) == 1 else f"{', '.join(models)}: ") + "; ".join(doubts)
        for doubts, models in names.items()
        if doubts
    ]
    return [
        "This audit can show that inputs leak, but is no proof that they are hidden: "
        + ". ".join(reasons)
        + "."
    ]
