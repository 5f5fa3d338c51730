"""What a verb shows while it works, and how it ends: by itself, by a signal, by a full disk."""

from __future__ import annotations

import errno
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from mixcon.errors import RunError

if TYPE_CHECKING:
    from mixcon.audit import AuditProgress
    from mixcon.training import Progress

__all__ = [
    "INTERRUPTED",
    "TERMINATED",
    "Terminated",
    "audit_progress",
    "command",
    "console",
    "fail",
    "interruptible",
    "overall_progress",
    "say",
    "system_problem",
    "terminate",
    "training_progress",
    "warn",
    "working",
]

_plain = partial(Console, stderr=True, highlight=False, markup=False, emoji=False)
console = _plain()
INTERRUPTED, TERMINATED = 130, 143  # the shell's codes for Ctrl-C and SIGTERM
_CURES = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room within your quota",
    errno.EFBIG: "raise the limit on the size of files: ulimit -f",
    errno.EACCES: "choose another path, or ask for the right to use it",
    errno.EPERM: "choose another path, or ask for the right to use it",
    errno.EROFS: "choose a path that can be written to",
    errno.ENOTDIR: "a file stands where a folder should be: choose another path",
    errno.EEXIST: "a file stands where a folder should be: choose another path",
    errno.EISDIR: "a folder stands where a file should be: choose another path",
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
}


def say(text: object) -> None:
    """A line as it is: whole, for whoever reads it on, and no part of it taken for markup."""
    console.print(text, soft_wrap=True)


def warn(message: str) -> None:
    """A line about what the user should know, and no reason to end."""
    say(Text("warning: ", "yellow") + message)


def fail(message: str) -> NoReturn:
    """End the command with one message about what the user can mend."""
    _plain().print(Text("error: ", "red") + message, soft_wrap=True)  # --quiet shows it, too
    sys.exit(2)


class Terminated(KeyboardInterrupt):
    """SIGTERM came: whatever cleans up after Ctrl-C cleans up now."""


def terminate(*_: object) -> NoReturn:
    """What the command does at SIGTERM."""
    raise Terminated


@contextmanager
def interruptible(advice: str) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM into one line of advice and the exit code that shells expect.

    Raises:
        RunError: the operating system refused something, a full disk say; with the advice.
    """
    try:
        yield
    except KeyboardInterrupt as signal:
        ended, code = "Interrupted", INTERRUPTED
        if isinstance(signal, Terminated):
            ended, code = "Terminated", TERMINATED
        say(f"\n{ended}. {advice}")
        raise typer.Exit(code) from None
    except BrokenPipeError:  # whoever read what we print has enough
        raise
    except OSError as error:
        raise RunError(f"{system_problem(error)}. {advice}") from error


def system_problem(error: OSError) -> str:
    """What the operating system refused, and the cure where there is one."""
    where = f"{error.filename}: " if error.filename is not None else ""
    cure = _CURES.get(error.errno or 0)
    return f"{where}{error.strerror or error}{f'; {cure}' if cure else ''}"


def command(*words: str | Path, **options: object) -> str:
    """A command line that a shell takes as it stands: quoted, with the options that are set.

    A data folder that the environment names anyway is left out.
    """
    if str(options.get("data_dir")) == os.environ.get("MIXCON_DATA"):
        options.pop("data_dir")
    given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value]
    return shlex.join(["mixcon", *map(str, words), *given])


@contextmanager
def training_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """A bar over all steps with steps per second and time left; a line for each epoch."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars = Bars(*columns, console=console, transient=True)
    task = bars.add_task(title, total=None, rate="reading data")
    if console.is_terminal:  # reading takes its time, too
        bars.start()
    started, first = time.monotonic(), -1

    def show(progress: Progress) -> None:
        nonlocal first
        bars.start()  # elsewhere not before there is something to show; again is no harm
        if progress.record:
            console.print(f"{title}  {_epoch(progress)}")
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
    """One bar over the whole audit, with what is being done."""
    with overall_progress("audit") as show:
        yield lambda progress: show(progress.done, _phase(progress))


def _phase(progress: AuditProgress) -> str:
    return f"{progress.phase} on {progress.model}" if progress.model else progress.phase


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what is being done where no share of it is known; without a terminal it gets a line."""
    if console.is_terminal:
        with console.status(Text(what)):
            yield
    else:
        say(what)
        yield


class OnShare(Protocol):
    """Told how far all of the work is."""

    def __call__(self, share: float, what: str, details: str = "") -> None:
        """The share that is done, in [0, 1], what is being done, and more for a terminal."""


@contextmanager
def overall_progress(title: str) -> Iterator[OnShare]:
    """A bar over all of the work, with the time left and what is being done.

    Where there is no terminal to draw on, each new thing that is done gets a line.
    """
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        TextColumn("{task.fields[details]}", markup=False),
    )
    with Bars(*columns, console=console, speed_estimate_period=3600.0) as bars:
        task = bars.add_task(title, total=1.0, what="", details="")
        last = ""

        def show(share: float, what: str, details: str = "") -> None:
            nonlocal last
            if what != last and not console.is_terminal:
                console.print(f"{share:>4.0%}  {what}")
            last = what
            bars.update(task, completed=share, what=what, details=details)

        yield show
