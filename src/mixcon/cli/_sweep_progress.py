"""What a sweep shows while it works: a bar a phase, a line for each trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mixcon.cli._console import console
from mixcon.sweep import Limits, SweepProgress, Trial, choose

__all__ = ["sweep_progress"]


@contextmanager
def sweep_progress(limits: Limits) -> Iterator[Callable[[SweepProgress], None]]:
    """A bar a phase, with what runs and fails and the best so far; a line for each trial."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=12),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, speed_estimate_period=3600.0) as bars:
        tasks: dict[str, Any] = {}

        def show(progress: SweepProgress) -> None:
            if progress.news:
                console.print(_line(progress), highlight=False, soft_wrap=True)
            if not progress.total:
                return
            if progress.phase not in tasks:
                tasks[progress.phase] = bars.add_task(_TITLES[progress.phase], counts="")
            bars.update(
                tasks[progress.phase],
                total=progress.total,
                completed=progress.ended,
                counts=_counts(progress, limits),
            )

        yield show


_TITLES = {
    "search": "Trials",
    "judge": "Strong attacks",
    "test": "Test images",
    "seeds": "Further seeds",
}


def _counts(progress: SweepProgress, limits: Limits) -> str:
    sweep = progress.sweep
    failed = sum(trial.state == "failed" for trial in sweep.trials)
    best = choose(sweep, limits)
    parts = [f"{progress.running} running", f"{failed} failed"]
    parts += ["best {:.1%}/{:.2f}".format(*best.point)] if best else []
    return ", ".join(parts)


def _figures(trial: Trial) -> str:
    accuracy, excess = trial.point
    return f"accuracy {accuracy:.1%}, excess {excess:.2f}"


def _line(progress: SweepProgress) -> str:
    trial = progress.news
    assert trial is not None  # noqa: S101  asked for news only
    again = progress.phase == "seeds"
    title = trial.title_with_seed if again else trial.title
    start = f"{progress.ended:>4}/{progress.total}  {title}: "
    if again and trial.test:
        return f"{start}test accuracy {trial.test.accuracy:.1%}"
    if trial.state == "failed":
        return f"{start}[red]failed[/red], {escape(trial.reason or '')}"
    if trial.state == "pruned":
        return f"{start}no better than guessing, not attacked"
    return start + _figures(trial)
