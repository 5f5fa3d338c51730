"""What `mixcon sweep` and `mixcon tune` do with their options, and what they say at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from mixcon._cores import cores
from mixcon._files import check_writable
from mixcon.cli._console import command, interruptible, overall_progress, say, working
from mixcon.cli._output import print_json
from mixcon.cli._sweep_options import read_options
from mixcon.reports import excess_of, intervals
from mixcon.sweep import (
    Limits,
    LocalPool,
    Pool,
    RayPool,
    Select,
    Sweep,
    SweepConfig,
    SweepProgress,
    Trial,
    choose,
    describe_choice,
    write_sweep,
)
from mixcon.sweep import sweep as run_sweep
from mixcon.training import make_fabric

__all__ = ["run"]


@dataclass(frozen=True)
class Machine:
    """Where a sweep runs, not what it searches."""

    workers: int | None
    ray: str | None
    storage: str | None
    data_dir: Path | None
    accelerator: str


def run(given: dict[str, Any], out: Path | None, limits: Limits) -> Trial | None:
    """Sweep, write the report, and say what was found; the chosen trial, if any.

    Args:
        given: the options of the verb by name, unset ones included.
        out: the sweep's folder, if one was named.
        limits: what the chosen trial keeps to.
    """
    as_json, _ = given.pop("as_json"), given.pop("quiet")  # the latter took effect when it was read
    machine = Machine(**{field.name: given.pop(field.name) for field in fields(Machine)})
    config, folder = read_options(given, out)
    check_writable(folder.path)
    if machine.ray is None:  # else each trial would fail by itself
        make_fabric(machine.accelerator, 1, config.base.precision)
    advice = f"Run the same command again to go on: {folder.path} keeps what was done."
    with (
        interruptible(advice),
        sweep_progress(limits) as on_progress,
    ):
        found = run_sweep(
            config,
            folder.path,
            _pool(machine, config),
            storage=machine.storage,
            limits=limits,
            select=_selection(limits),
            data_dir=machine.data_dir,
            accelerator=machine.accelerator,
            on_progress=on_progress,
        )
    with interruptible(advice), working("Writing the report ..."):
        page = write_sweep(found, folder.path, limits)
    _tell(found)
    chosen = choose(found, limits)
    said = describe_choice(found, chosen, limits)
    say(f"\n{said}")
    if chosen:
        say(f"Next: {_next(folder.path, chosen, machine)}")
    say(f"Report: {page}")
    if as_json:
        print_json(_outcome(found, chosen, page))
    return chosen


def _outcome(found: Sweep, chosen: Trial | None, page: Path) -> dict[str, Any]:
    """What scripts ask a sweep: the front, and what was chosen of it."""
    front = [_numbers(trial) for trial in found.front]
    return {"report": page, "front": front, "chosen": _numbers(chosen) if chosen else None}


def _numbers(trial: Trial) -> dict[str, Any]:
    accuracy, excess = trial.point
    return {"trial": trial.name, "title": trial.title, "accuracy": accuracy, "excess": excess}


def _next(folder: Path, chosen: Trial, machine: Machine) -> str:
    """The command that trains the chosen config, into a folder that no other config claims."""
    out = folder / f"chosen-{chosen.name}"
    return command(
        "train",
        config=folder / "chosen.toml",
        out=out,
        data_dir=machine.data_dir,
        allow_code=",".join(chosen.config.packages),
    )


def _pool(machine: Machine, config: SweepConfig) -> Pool:
    """What the jobs run on: a cluster, all cores shared out among workers, or the one GPU."""
    if machine.ray is not None:
        return RayPool(machine.ray, gpu=machine.accelerator in {"cuda", "gpu"})
    gpu = machine.accelerator != "cpu" and torch.cuda.is_available()
    workers = 1 if gpu else min(cores(), sum(config.budget.values()))
    return LocalPool(machine.workers or workers)


def _selection(limits: Limits) -> Select:
    """The front for a sweep, the one choice for a limit."""
    if limits == Limits():
        return lambda sweep: sweep.front
    return lambda sweep: [trial for trial in [choose(sweep, limits)] if trial]


def _over_seeds(sweep: Sweep, trial: Trial) -> str:
    """From the worst to the best accuracy with several seeds."""
    found = [run.test.accuracy for run in sweep.over_seeds(trial) if run.test]
    if len(found) < 2:
        return ""
    return f"; with {len(found)} seeds accuracy {min(found):.1%} to {max(found):.1%}"


def _tell(sweep: Sweep) -> None:
    """The trials that met the test set, with the intervals over its images."""
    for trial in sweep.trials:
        if trial.test and trial.test.attacks:
            accuracy, excess = intervals(trial.test)
            say(
                f"{trial.title}: test accuracy {trial.test.accuracy:.1%} "
                f"({accuracy.low:.1%} to {accuracy.high:.1%}), excess leakage "
                f"{excess_of(trial.test) or 0.0:.2f} ({excess.low:.2f} to {excess.high:.2f})"
                f"{_over_seeds(sweep, trial)}"
            )
    say(f"Hypervolume of the front, where selected: {sweep.hypervolume:.3f}")


@contextmanager
def sweep_progress(limits: Limits) -> Iterator[Callable[[SweepProgress], None]]:
    """One bar over the whole sweep, with what is being done, and a line for each trial."""
    with overall_progress("sweep") as bar:
        bar(0.0, "preparation")

        def show(progress: SweepProgress) -> None:
            if progress.news:
                say(_line(progress))
            if progress.total:
                bar(progress.done, _TITLES[progress.phase], _details(progress, limits))

        yield show
        bar(1.0, "done")


_TITLES = {
    "search": "trials",
    "judge": "strong attacks",
    "test": "test images",
    "seeds": "further seeds",
}


def _details(progress: SweepProgress, limits: Limits) -> str:
    """What runs and fails in this phase, and the best so far."""
    sweep = progress.sweep
    failed = sum(trial.state == "failed" for trial in sweep.trials)
    doing = ", ".join(dict.fromkeys(job.what for job in progress.jobs))
    best = choose(sweep, limits)
    parts = [f"{progress.ended}/{progress.total}"]
    parts += [f"{progress.running} running" + (f" ({doing})" if doing else "")]
    parts += [f"{failed} failed"] if failed else []
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
        return f"{start}failed, {trial.reason or ''}"
    if trial.state == "pruned":
        return f"{start}no better than guessing, not attacked"
    return start + _figures(trial)
