"""The headline: what an attacker gets who chooses one attack, over a guesser who chooses one guess.

Both choose on their own samples, never by the victims. An attacker cannot keep the better of two
reconstructions image by image without knowing the original, so the maximum over attacks for each
image is shown beside, over a maximum of as many guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from mixcon.audit import AttackRecord, GuessRecord, ModelRecord
from mixcon.errors import ConfigError
from mixcon.metrics import bootstrap_interval, metric_named

__all__ = [
    "LABEL_ONLY",
    "Excess",
    "beside",
    "best_attack",
    "chooses",
    "excess",
    "headline",
    "named",
    "overlooked",
    "per_image",
]

_FAR, _ERRORS = 0.1, 4.0  # on some 200 honest records at most 0.11 by 1.1 errors, 0.02 by 3.7
_NAMED = "reidentification_in_class"
_NAMING = ("reidentification", _NAMED)

LABEL_ONLY = "class-mean"
"""The floor of reports from before there were several guesses: the mean image of the class."""


@dataclass(frozen=True)
class Excess:
    """Leakage over a floor, victim by victim, and what it comes to.

    Attributes:
        metric: the metric of the next two.
        leakage: one value per victim.
        floor: what a guess without z gets of the same victims.
        attack: the attack that the attacker chose; None for the strongest of all, image by image.
        guess: the guess that was chosen likewise; None for the best of several, or the class mean.
    """

    metric: str
    leakage: tuple[float, ...]
    floor: tuple[float, ...]
    attack: str | None = None
    guess: str | None = None

    @cached_property
    def value(self) -> float:
        """The way that the mean leakage goes from the mean floor (0) to an exact copy (1)."""
        means = float(np.mean(self.leakage)), float(np.mean(self.floor))
        return excess(*means, metric_named(self.metric).perfect)

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95 % bootstrap interval of `value` over the victims, in pairs; None with one victim."""
        if len(self.leakage) < 2:
            return None
        perfect = metric_named(self.metric).perfect

        def statistic(leakage: Any, floor: Any) -> Any:
            far = perfect - floor.mean(-1)
            return (leakage.mean(-1) - floor.mean(-1)) / np.where(far == 0, np.inf, far)

        return bootstrap_interval(statistic, self.leakage, self.floor)


def excess(leakage: float, floor: float, perfect: float = 1.0) -> float:
    """Leakage beyond a floor, as a share of the way from the floor to an exact copy.

    Args:
        leakage: mean leakage of an attack.
        floor: mean leakage of a guess without z, in the same metric.
        perfect: what an exact copy scores: 1 for SSIM, 0 for the mean squared error.

    Returns:
        (leakage - floor) / (perfect - floor): 1 is an exact copy, 0 no better than the floor,
        and less than 0 worse than the floor. It is 0 where the floor is already perfect.
    """
    return 0.0 if floor == perfect else (leakage - floor) / (perfect - floor)


def best_attack(model: ModelRecord, metric: str = "ssim") -> list[float]:
    """Leakage of the strongest attack per image: the maximum over attacks, image by image.

    For an error such as ``mse`` it is the minimum.

    Args:
        model: a model with at least one attack that reports the metric.
        metric: name of the metric.

    Returns:
        One value per attacked image, in the order of the gallery.

    Raises:
        ConfigError: no attack reports the metric, or they attacked different numbers of images.
    """
    columns = [a.leakage[metric] for a in model.attacks if metric in a.leakage]
    if len({len(column) for column in columns}) != 1:
        raise ConfigError(
            f"expected the attacks on {model.name!r} to report {metric!r} for the same images "
            f"but got {[len(column) for column in columns]} values; run them on one set of images"
        )
    return _closest(columns, metric)


def headline(model: ModelRecord, metric: str, tied: Sequence[str | None] = ()) -> Excess:
    """The excess of the best single attack over the best single guess, chosen on own samples.

    A report that does not say how attacks and guesses did there, as one by an earlier version or a
    quick one, gets the strongest attack per image over the class mean. That floor is too low.

    Args:
        model: the record.
        metric: name of the metric.
        tied: attacks and guesses to take before others that did as well on own samples.

    Raises:
        ConfigError: the attacks do not report the metric, or there is no floor in it.
    """
    strongest = best_attack(model, metric)
    if not chooses(model, metric):
        return Excess(metric, tuple(strongest), tuple(_class_mean(model, metric)))
    attack, guess = (_chosen(records, metric, tied) for records in (model.attacks, model.guesses))
    columns = tuple(attack.leakage[metric]), tuple(guess.leakage[metric])
    return Excess(metric, *columns, attack.attack, guess.guess)


def per_image(model: ModelRecord, metric: str) -> Excess | None:
    """The excess of the best attack per image over the best of as many guesses per image.

    None where attacks and guesses cannot be chosen: there `headline` is per image.
    """
    if not chooses(model, metric):
        return None
    guesses = [guess.leakage[metric] for guess in model.guesses[: len(model.attacks)]]
    return Excess(metric, tuple(best_attack(model, metric)), tuple(_closest(guesses, metric)))


def overlooked(model: ModelRecord, found: Excess) -> Excess | None:
    """An attack that gets far more of the victims than the one that own samples chose, if any.

    The choice never sees a victim, so another attack may be ahead by chance. This one is ahead by a
    tenth of the way to an exact copy and by four standard errors: the device treats the attacker's
    own samples in another way than the victims, as one does that knows what it was trained on.
    """
    if not found.attack or not chooses(model, found.metric):
        return None
    scale, chosen = metric_named(found.metric), np.asarray(found.leakage)
    rivals = [replace(found, leakage=tuple(each.leakage[found.metric]), attack=each.attack)
              for each in model.attacks]  # fmt: skip
    ahead = [
        each
        for each in rivals
        if each.value >= found.value + _FAR
        and _is_ahead(np.asarray(each.leakage) - chosen, higher=scale.higher_leaks)
    ]
    return max(ahead, key=lambda each: each.value, default=None)


def _is_ahead(differences: Any, *, higher: bool) -> bool:
    signed = differences if higher else -differences
    return len(signed) > 1 and signed.mean() > _ERRORS * signed.std(ddof=1) / len(signed) ** 0.5


def named(model: ModelRecord, found: Excess) -> Excess | None:
    """How often an input is named among others of its class, over a guess.

    A reconstruction that is like its original by no metric may still tell it from all others: of a
    voice, whose wave form never comes back, or of a face in another light.
    """
    return beside(model, found, _NAMED)


def beside(model: ModelRecord, found: Excess, metric: str) -> Excess | None:
    """The headline's attack and guess by another metric.

    Who wants to know whose an input is chooses by that: re-identification is of the attack and the
    guess that name the attacker's own samples best. Reports from before that was measured have it
    of the headline's, which may name fewer.

    Args:
        model: the record.
        found: its headline. None is the answer where that chooses no attack, or where the metric
            was not measured.
        metric: name of the metric.
    """
    if metric in _NAMING and chooses(model, metric):
        return headline(model, metric, (found.attack, found.guess))
    attack = next((each for each in model.attacks if each.attack == found.attack), None)
    guess = next((each for each in model.guesses if each.guess == found.guess), None)
    if not attack or not guess or metric not in attack.leakage.keys() & guess.leakage.keys():
        return None
    columns = tuple(attack.leakage[metric]), tuple(guess.leakage[metric])
    return Excess(metric, *columns, attack.attack, guess.guess)


def chooses(model: ModelRecord, metric: str) -> bool:
    """Whether attacks and guesses were scored by a metric on the attacker's own samples."""
    records: list[AttackRecord | GuessRecord] = [*model.attacks, *model.guesses]
    return bool(model.guesses) and all(metric in record.auxiliary for record in records)


def _chosen(records: Sequence[Any], metric: str, tied: Sequence[str | None]) -> Any:
    closest = metric_named(metric).closest([record.auxiliary[metric] for record in records])
    best = [record for record in records if record.auxiliary[metric] == closest]
    return next((each for each in best if _name(each) in tied), best[0])


def _name(record: AttackRecord | GuessRecord) -> str:
    return record.attack if isinstance(record, AttackRecord) else record.guess


def _closest(columns: Sequence[Sequence[float]], metric: str) -> list[float]:
    closest = metric_named(metric).closest
    return [closest(values) for values in zip(*columns, strict=True)]


def _class_mean(model: ModelRecord, metric: str) -> list[float]:
    values = model.floors.get(LABEL_ONLY, {}).get(metric, [])
    if not values:
        raise ConfigError(
            f"expected the floor {LABEL_ONLY!r} of {model.name!r} in {metric!r} but got the "
            f"floors {sorted(model.floors)}; leakage means nothing without it, so measure it too"
        )
    return values
