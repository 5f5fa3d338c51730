"""The choice of one trial: the sweet spot, or the best that keeps to limits."""

from __future__ import annotations

from mixcon.sweep.config import Limits
from mixcon.sweep.records import Sweep, Trial

__all__ = ["choose", "chosen_toml"]


def choose(sweep: Sweep, limits: Limits) -> Trial | None:
    """The best trial on the held-out part; None if none keeps to the limits.

    With a largest excess: the highest accuracy. With a smallest accuracy alone: the least excess.
    Without either: the largest accuracy minus excess.
    """

    def worth(trial: Trial) -> tuple[float, float]:
        accuracy, excess = trial.point
        if limits.max_excess is not None:
            return accuracy, -excess
        if limits.min_accuracy is not None:
            return -excess, accuracy
        return accuracy - excess, accuracy

    kept = [trial for trial in sweep.done if limits.violation(*trial.point) <= 0]
    return max(kept, key=worth, default=None)


def chosen_toml(trial: Trial) -> str:
    """The trial's config for `mixcon train --config`, which then trains on all training data."""
    accuracy, excess = trial.point
    said = (
        f"# {trial.title}: accuracy {accuracy:.4f}, excess leakage {excess:.4f} where selected.\n"
    )
    return said + trial.config.model_copy(update={"holdout": 0.0}).to_toml()
