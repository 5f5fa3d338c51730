"""Columns: which numbers of a vector come back, and which do not."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mixcon.audit import Gallery
from mixcon.kinds import Kind
from mixcon.reports.figures import Figures

__all__ = ["Column", "columns"]

_SHOWN = 5  # at either end


@dataclass(frozen=True)
class Column:
    """How well one column comes back from one model.

    Attributes:
        model: name of the model.
        attack: the headline's attack.
        column: position of the column, from 0.
        error: root of the mean squared error over the victims.
        spread: standard deviation of the column over the victims: what is left of the error by
            who guesses its mean.
    """

    model: str
    attack: str
    column: int
    error: float
    spread: float

    @property
    def share(self) -> float:
        """The error in units of the spread: 0 is a copy, 1 no better than the mean."""
        return self.error / self.spread


def columns(figures: Figures, gallery: Gallery) -> list[Column]:
    """The columns that come back best and worst from each model, the worst first; of vectors.

    Columns that are the same for all victims are left out: anybody knows them.

    Of more than ten columns the five largest and the five smallest errors.
    """
    if gallery.kind is not Kind.VECTOR:
        return []
    return [
        column
        for summary in figures.models
        for attack, found in gallery.reconstructions.get(summary.model, {}).items()
        if attack == summary.chosen
        for column in _ends(_columns(summary.model, attack, found, gallery.originals))
    ]


def _columns(model: str, attack: str, found: Tensor, originals: Tensor) -> list[Column]:
    errors = (found - originals).double().square().mean(0).sqrt().tolist()
    spreads = originals.double().std(0, correction=0).tolist()
    pairs = enumerate(zip(errors, spreads, strict=True))
    return [Column(model, attack, i, error, spread) for i, (error, spread) in pairs if spread]


def _ends(found: list[Column]) -> list[Column]:
    ranked = sorted(found, key=lambda column: -column.share)
    return ranked if len(ranked) <= 2 * _SHOWN else [*ranked[:_SHOWN], *ranked[-_SHOWN:]]
