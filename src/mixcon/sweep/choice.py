"""The choice of one trial: the sweet spot, or the best that keeps to limits."""

from __future__ import annotations

from collections.abc import Sequence

from mixcon.reports import excess_of, upper_excess_of
from mixcon.sweep.config import Limits
from mixcon.sweep.records import Sweep, Trial

__all__ = ["choose", "chosen_toml", "describe_choice"]


def choose(sweep: Sweep, limits: Limits) -> Trial | None:
    """The best trial on the held-out part; None if none keeps to the limits.

    With a largest excess, which the upper end of the interval keeps to, or most bits: the highest
    accuracy. With
    a smallest accuracy alone: the least excess. Without either: the largest accuracy minus excess.
    """

    def worth(trial: Trial) -> tuple[float, float]:
        accuracy, excess = trial.point
        if limits.max_excess is not None or limits.max_bits is not None:
            return accuracy, -excess
        if limits.min_accuracy is not None:
            return -excess, accuracy
        return accuracy - excess, accuracy

    kept = [
        trial
        for trial in sweep.done
        if limits.violation(trial.point[0], trial.upper_excess, trial.bits) <= 0
    ]
    return max(kept, key=worth, default=None)


def chosen_toml(trial: Trial) -> str:
    """The trial's config for `mixcon train --config`, which then trains on all training data."""
    accuracy, excess = trial.point
    said = (
        f"# {trial.title}: accuracy {accuracy:.4f}, excess leakage {excess:.4f} (upper end of the "
        f"95 % interval: {trial.upper_excess:.4f}) where selected.\n"
    )
    return said + trial.config.model_copy(update={"holdout": 0.0}).to_toml()


def describe_choice(sweep: Sweep, chosen: Trial | None, limits: Limits) -> str:
    """What was looked for, and whether it was found, where selected and on the test set."""
    wanted = _wanted(limits)
    goal = "The best trade (accuracy minus excess leakage)"
    if wanted:
        goal = f"The best trial with {' and '.join(wanted)}"
    if not sweep.done:
        return f"{goal} was not found: no trial does better than guessing."
    if chosen is None:
        return f"{goal} was not found: no trial keeps to it{_nearest(sweep, limits)}."
    accuracy, excess = chosen.point
    judged = "" if limits.max_excess is None else f" ({_JUDGED}, {chosen.upper_excess:.2f})"
    text = f"{goal} is {chosen.title}: accuracy {accuracy:.1%}, excess leakage {excess:.2f}{judged}"
    return f"{text}{_tested(chosen, limits)}{_range(sweep.tested(chosen))}."


_JUDGED = "judged by the upper end of its 95 % interval"


def _wanted(limits: Limits) -> list[str]:
    named = (
        ("an excess leakage of at most", limits.max_excess),
        ("an accuracy of at least", limits.min_accuracy),
    )
    wanted = [f"{what} {value:g}" for what, value in named if value is not None]
    bits = limits.max_bits
    return wanted if bits is None else [*wanted, f"at most {bits:g} bits of maximal leakage"]


def _nearest(sweep: Sweep, limits: Limits) -> str:
    """How near the trials come to the limit of the excess, if there is one."""
    if limits.max_excess is None:
        return ""
    least = min(trial.upper_excess for trial in sweep.done)
    return f"; excess leakage is {_JUDGED}, and the smallest of these is {least:.2f}"


def _tested(chosen: Trial, limits: Limits) -> str:
    """What the test set says of it, if it was attacked there."""
    test = chosen.test
    excess, upper = (excess_of(test), upper_excess_of(test)) if test else (None, None)
    if test is None or excess is None or upper is None:
        return ""
    judged = "" if limits.max_excess is None else f" (judged: {upper:.2f})"
    broken = limits.violation(test.accuracy, upper, chosen.bits) > 0
    kept = ", where the limit is not kept" if broken else ""
    return f"; on the test set {test.accuracy:.1%} and {excess:.2f}{judged}{kept}"


def _range(seeds: Sequence[tuple[float, float | None]]) -> str:
    """The smallest and the largest figures, if there are several."""
    if len(seeds) < 2:
        return ""
    accuracies = [accuracy for accuracy, _ in seeds]
    excesses = [excess for _, excess in seeds if excess is not None]
    return (
        f"; with {len(seeds)} seeds {min(accuracies):.1%} to {max(accuracies):.1%} and "
        f"{min(excesses):.2f} to {max(excesses):.2f}"
    )
