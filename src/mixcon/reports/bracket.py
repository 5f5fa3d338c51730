"""The bracket: between a guess without z and what no attack can exceed lies what attacks got."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mixcon.reports.figures import Figures
from mixcon.reports.summary import Summary

__all__ = ["Bracket", "brackets"]


@dataclass(frozen=True)
class Bracket:
    """One line of the picture; places in percent of the way from the worst score to a copy.

    Attributes:
        model: name of the model.
        floor: place of the guess.
        measured: place of the attack.
        bound: place of the bound; None where there is no bound.
        words: the line in words, for who cannot see it.
    """

    model: str
    floor: float
    measured: float
    bound: float | None
    words: str


def brackets(figures: Figures) -> list[Bracket]:
    """A line for each model that was attacked."""
    worst = _worst(figures)
    attacked = [summary for summary in figures.models if summary.found]
    return [_bracket(summary, figures, worst) for summary in attacked]


def _bracket(summary: Summary, figures: Figures, worst: float) -> Bracket:
    scale, floor, measured = figures.scale, summary.floor or 0.0, summary.leakage or 0.0
    bound = _bound(summary, figures.metric)

    def place(value: float) -> float:
        return 100 * min(max((value - worst) / ((scale.perfect - worst) or 1.0), 0.0), 1.0)

    ceiling = "no bound" if bound is None else f"no attack beyond about {scale.text(bound)}"
    words = f"a guess gets {scale.text(floor)}, attacks {scale.text(measured)}, {ceiling}"
    end = None if bound is None else place(bound)
    return Bracket(summary.model, place(floor), place(measured), end, words)


def _bound(summary: Summary, metric: str) -> float | None:
    bits = summary.bits
    known = {} if bits is None else {"ssim": bits.cell_ssim, "mse": bits.cell_mse}
    return known.get(metric)


def _worst(figures: Figures) -> float:
    """Where the lines begin: at 0 of a similarity; of an error at the largest one found."""
    if figures.scale.higher_leaks:
        return 0.0
    return max(_scores(figures.models), default=1.0)


def _scores(models: Iterable[Summary]) -> Iterable[float]:
    return (value for s in models for value in (s.floor, s.leakage) if value is not None)
