"""Check an entry again, on victims that nobody knew when it was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from mixcon.attacks import Decoder, Posterior
from mixcon.audit import AuditProgress, Report, run_audit, subject_of
from mixcon.data import Splits
from mixcon.leaderboard.entry import Entry
from mixcon.reports.figures import figures_of
from mixcon.training import load_model

__all__ = ["Finding", "verify_entry"]

_STEPS = 600
_DEVIATIONS = 4.0  # of a mean that is measured twice


@dataclass(frozen=True)
class Finding:
    """One claim of an entry, checked.

    Attributes:
        claim: what was checked, in words.
        recorded: what the entry says.
        measured: what was found now.
        holds: whether they agree.
    """

    claim: str
    recorded: str
    measured: str
    holds: bool


def verify_entry(
    entry: Entry,
    splits: Splits,
    *,
    seed: int,
    victims: int = 100,
    on_progress: Callable[[AuditProgress], None] = lambda _: None,
) -> list[Finding]:
    """Measure accuracy and leakage of an entry again.

    Attacked are victims drawn by `seed`, by two attacks that take a minute: an entry that leaks
    more to them than it recorded for all attacks together does not hold. Recording more than these
    find is right, since the record is of stronger attacks.

    Args:
        entry: read, so its signature and hashes hold.
        splits: the data of its run.
        seed: draws the victims; nobody should have known it when the entry was made.
        victims: how many.
        on_progress: told about progress.
    """
    model = load_model(entry.folder, splits)
    recorded = entry.report.models[0]
    report, _ = run_audit(
        [subject_of(entry.folder, model)],
        splits,
        [Posterior(), Decoder(steps=_STEPS)],
        victims=min(victims, len(splits.test)),
        seed=seed,
        on_progress=on_progress,
    )
    found = report.models[0]
    return [
        Finding(
            "weights",
            recorded.weights[:12],
            found.weights[:12],
            recorded.weights == found.weights,
        ),
        _accuracy(recorded.accuracy, found.accuracy, len(splits.test)),
        _leakage(entry.report, report),
    ]


def _accuracy(recorded: float, found: float, count: int) -> Finding:
    deviation = sqrt(max(recorded * (1 - recorded), 1e-12) / count)
    near = abs(recorded - found) <= _DEVIATIONS * deviation
    return Finding("accuracy", f"{recorded:.2%}", f"{found:.2%}", near)


def _leakage(recorded: Report, again: Report) -> Finding:
    """The mean of the best single attack, which new victims must not raise beyond chance."""
    figures = figures_of(recorded)
    metric = figures.metric
    claimed = figures.models[0].found
    assert claimed is not None  # an entry was attacked  # noqa: S101
    columns = [attack.leakage[metric] for attack in again.models[0].attacks]
    toward = 1 if figures.scale.perfect > fmean(claimed.floor) else -1
    best = max(columns, key=lambda column: toward * fmean(column))
    spread = sqrt(variance(claimed.leakage) / len(claimed.leakage) + variance(best) / len(best))
    more = toward * (fmean(best) - fmean(claimed.leakage))
    return Finding(
        f"leakage ({metric}, new victims)",
        f"{fmean(claimed.leakage):.3f}",
        f"{fmean(best):.3f}",
        more <= _DEVIATIONS * spread,
    )
