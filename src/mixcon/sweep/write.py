"""From a sweep to its files: the page, the record, the audit of the front, the chosen config."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from mixcon._files import write_whole
from mixcon.audit import Environment, ModelRecord, command_line, environment_of
from mixcon.reports import (
    Measured,
    SweepPage,
    SweepPoint,
    data_uri,
    excess_of,
    figures_of,
    intervals,
    render_sweep,
    verdict,
    write_figures,
)
from mixcon.sweep.choice import choose, chosen_toml, describe_choice
from mixcon.sweep.config import Limits
from mixcon.sweep.front_audit import front_audit
from mixcon.sweep.records import Sweep, Trial

__all__ = ["write_sweep"]

SCHEMA_VERSION = 2


def write_sweep(sweep: Sweep, folder: Path, limits: Limits) -> Path:
    """Write ``report.html``, ``report.json``, ``audit/`` and, if there is a choice, its config.

    Args:
        sweep: what was found.
        folder: the sweep's folder.
        limits: what the chosen config keeps to.

    Returns:
        The path of ``report.html``.
    """
    where = environment_of(command_line(), sweep.config.base.seed)
    chosen = choose(sweep, limits)
    audited = front_audit(sweep, where)
    figures = figures_of(audited[0]) if audited else None
    if audited and figures:
        write_figures(figures, audited[1], folder / "audit")
    if chosen:
        write_whole(folder / "chosen.toml", chosen_toml(chosen))
    else:  # that of an earlier limit keeps to another
        (folder / "chosen.toml").unlink(missing_ok=True)
    write_whole(folder / "report.json", _record(sweep, where))
    page = _page(sweep, where, chosen, limits, verdict(figures) if figures else [])
    return write_whole(folder / "report.html", render_sweep(page))


def _page(
    sweep: Sweep, where: Environment, chosen: Trial | None, limits: Limits, said: list[str]
) -> SweepPage:
    base, front = sweep.config.base, {trial.name for trial in sweep.front}
    return SweepPage(
        title=f"Accuracy against leakage: {len(sweep.trials)} trials of {base.network} on "
        f"{base.data_title}",
        summary=[describe_choice(sweep, chosen, limits), *said],
        points=[_point(sweep, t, t.cheap, t.name in front) for t in sweep.trials if t.cheap],
        hypervolume=sweep.hypervolume,
        budget=_budget(sweep),
        failures=_failures(sweep),
        chosen=chosen.title if chosen else "",
        chosen_toml=chosen_toml(chosen) if chosen else "",
        environment=where,
        selected_on=f"trials learned from {1 - base.holdout:.0%} of the training set and are "
        f"compared on the other {base.holdout:.0%}",
    )


def _failures(sweep: Sweep) -> dict[str, str]:
    """What came to nothing, with the reason."""
    failed = {t.title: t.reason or "" for t in sweep.trials if t.state == "failed"}
    return failed | {t.title_with_seed: t.reason for t in sweep.repeats if t.reason is not None}


def _point(sweep: Sweep, trial: Trial, record: ModelRecord, on_front: bool) -> SweepPoint:
    return SweepPoint(
        title=trial.title,
        defense=trial.group,
        accuracy=record.accuracy,
        excess=trial.point[1] if trial.state == "done" else None,
        judged=trial.strong is not None,
        distance=record.after.mean,
        place=trial.place,
        picture=_picture(trial),
        test=_measured(trial),
        seeds=sweep.tested(trial),
        on_front=on_front,
    )


def _picture(trial: Trial) -> str:
    """What the judgment saw that found the most."""
    found = {"strong": trial.strong, "cheap": trial.cheap}
    scores = {stage: excess_of(record) for stage, record in found.items() if record}
    stages = sorted(scores, key=lambda stage: -(scores[stage] or 0.0))
    paths = [trial.folder / f"{stage}.{ending}" for stage in stages for ending in ("png", "svg")]
    drawn = next((path for path in paths if path.is_file()), None)
    return data_uri(drawn.read_bytes(), drawn.suffix[1:]) if drawn else ""


def _measured(trial: Trial) -> tuple[Measured, Measured] | None:
    excess = excess_of(trial.test) if trial.test else None
    if trial.test is None or excess is None:
        return None
    of_accuracy, of_excess = intervals(trial.test)
    return Measured(trial.test.accuracy, of_accuracy), Measured(excess, of_excess)


def _budget(sweep: Sweep) -> list[dict[str, str]]:
    """A row a defense: what it was given, and what came of it."""
    rows = []
    for defense, budget in sweep.config.budget.items():
        states = Counter(t.state for t in sweep.trials if t.defense == defense)
        ended = sum(states.values())
        rows.append(
            {
                "Defense": defense,
                "Budget": str(budget),
                "Trained and attacked": str(states["done"]),
                "No better than guessing": str(states["pruned"]),
                "Failed": str(states["failed"]),
                "Repeats of another, or open": str(budget - ended),
                "On the front": str(sum(t.defense == defense for t in sweep.front)),
            }
        )
    return rows


def _trial_record(sweep: Sweep, trial: Trial) -> dict[str, Any]:
    """A trial as JSON, its judgments in full."""
    tested = {run.config.seed: run.test for run in sweep.over_seeds(trial) if run.test}
    judged = {"cheap": trial.cheap, "strong": trial.strong, "test": trial.test}
    return {
        "name": trial.name,
        "title": trial.title,
        "state": trial.state,
        "reason": trial.reason,
        "config": trial.config.model_dump(mode="json"),
        "excess": trial.excess,
        **{stage: record and record.model_dump() for stage, record in judged.items()},
        "test_of_seed": {seed: record.model_dump() for seed, record in tested.items()},
    }


def _record(sweep: Sweep, where: Environment) -> str:
    content = {
        "schema_version": SCHEMA_VERSION,
        "environment": where.model_dump(),
        "config": sweep.config.model_dump(mode="json"),
        "hypervolume": sweep.hypervolume,
        "front": [trial.name for trial in sweep.front],
        "trials": [_trial_record(sweep, trial) for trial in sweep.trials],
    }
    return to_json(content, indent=2, inf_nan_mode="strings").decode() + "\n"
