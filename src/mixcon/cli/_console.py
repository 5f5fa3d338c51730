"""What a verb shows while it works: progress with rate and time left, and a way back in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from mixcon.audit import AuditProgress
from mixcon.training import Progress

__all__ = ["audit_progress", "console", "interruptible", "training_progress"]

console = Console(stderr=True)
_INTERRUPTED = 130  # the shell's code for Ctrl-C


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Turn Ctrl-C into one line of advice and the exit code that shells expect."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"\nInterrupted. {advice}", highlight=False, soft_wrap=True)
        raise typer.Exit(_INTERRUPTED) from None


@contextmanager
def training_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """A bar over all steps with steps per second and time left; a line for each epoch."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    bars = Bars(*columns, console=console, transient=True)
    task = bars.add_task(title, total=None, rate="")
    started, first = time.monotonic(), -1

    def show(progress: Progress) -> None:
        nonlocal first
        bars.start()  # not before there is something to show; again is no harm
        if progress.record:
            console.print(f"{title}  {_epoch(progress)}", highlight=False)
            return
        done = (progress.epoch - 1) * progress.steps + progress.step
        first = done - 1 if first < 0 else first
        rate = (done - first) / max(time.monotonic() - started, 1e-9)
        total = progress.epochs * progress.steps
        bars.update(task, completed=done, total=total, rate=f"{rate:.0f} steps/s")

    try:
        yield show
    finally:
        if bars.live.is_started:  # else stopping would print an empty line
            bars.stop()


def _epoch(progress: Progress) -> str:
    record = progress.record or {}
    parts = [f"epoch {progress.epoch:>3}/{progress.epochs}"]
    if "loss" in record:
        parts += [f"loss {record['loss']:.4f}", f"train {record['train_accuracy']:.1%}"]
    parts.append(f"test {record['test_accuracy']:.1%}")
    return "  ".join(parts)


@contextmanager
def audit_progress() -> Iterator[Callable[[AuditProgress], None]]:
    """A bar for each attack on each model, with the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Bars(*columns, console=console) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(progress: AuditProgress) -> None:
            key = (progress.model, progress.attack)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{progress.attack} on {progress.model}", total=1.0)
            bars.update(tasks[key], completed=progress.share)

        yield show
