"""What `mixcon sweep` and `mixcon tune` share: options, progress, and what they say at the end."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import torch
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mixcon import models
from mixcon.attacks import ATTACKS
from mixcon.cli._console import console, interruptible
from mixcon.data import SOURCES
from mixcon.errors import ConfigError
from mixcon.reports import excess_of, intervals
from mixcon.sweep import (
    PAPER,
    Limits,
    LocalPool,
    Pool,
    RayPool,
    Select,
    Space,
    Sweep,
    SweepConfig,
    SweepFolder,
    SweepProgress,
    Trial,
    choose,
    cores,
    write_sweep,
)
from mixcon.sweep import sweep as run_sweep
from mixcon.training import TrainConfig

__all__ = ["SPACE", "run"]

SPACE, _TRAINING, _SEARCH, _MACHINE = "Search space", "Training", "Search", "Machine"
_VALUES = "A list such as 0.1,1,10 or a range such as 0.01..100"

Data: TypeAlias = Annotated[
    str | None, typer.Option(help=f"Data set: {', '.join(SOURCES)}, or folder:PATH.")
]
Network: TypeAlias = Annotated[
    str | None, typer.Option(help=f"{', '.join(models.NETWORKS)} (default: lenet5)")
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder of the sweep (default: sweeps/DATA-NETWORK)")
]
Defense: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Defenses to try, separated by commas, each as in mixcon train; the undefended "
        "network is always tried too (default: mixcon,normalize+gaussian)",
        rich_help_panel=SPACE,
    ),
]
Lam: TypeAlias = Annotated[
    str | None,
    typer.Option(help=f"Weight of a loss, lambda in the paper. {_VALUES}.", rich_help_panel=SPACE),
]
Beta: TypeAlias = Annotated[
    str | None, typer.Option(help="Repulsion of mixcon, likewise.", rich_help_panel=SPACE)
]
Sigma: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Deviation of gaussian noise, likewise.", rich_help_panel=SPACE),
]
Bits: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Bits a number of quantize, likewise.", rich_help_panel=SPACE),
]
Cut: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Layers to cut at, a list such as pool1,pool2 (default: the paper's)",
        rich_help_panel=SPACE,
    ),
]
SpaceFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Take the space from a TOML file instead: defenses, a list, and under vary any "
        "setting of theirs.",
        rich_help_panel=SPACE,
    ),
]
Epochs: TypeAlias = Annotated[
    int | None, typer.Option(help="(default: 20)", rich_help_panel=_TRAINING)
]
BatchSize: TypeAlias = Annotated[
    int | None, typer.Option(help="(default: 64)", rich_help_panel=_TRAINING)
]
Lr: TypeAlias = Annotated[
    float | None,
    typer.Option(help="Learning rate of SGD (default: 0.01)", rich_help_panel=_TRAINING),
]
Momentum: TypeAlias = Annotated[
    float | None, typer.Option(help="(default: 0)", rich_help_panel=_TRAINING)
]
Seed: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Decides all randomness (default: 0)", rich_help_panel=_TRAINING),
]
SamplerName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="grid, random, tpe or nsga2 (default: grid if values are listed, else tpe)",
        rich_help_panel=_SEARCH,
    ),
]
Trials: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Trials of each defense, but for a grid; raise it to go on with a finished sweep "
        "(default: 20)",
        rich_help_panel=_SEARCH,
    ),
]
AttackNames: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help=f"Judges of the front: {', '.join(ATTACKS)}; repeat for several "
        "(default: all that apply)",
        rich_help_panel=_SEARCH,
    ),
]
Victims: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Images each attack is judged on (default: 100)", rich_help_panel=_SEARCH),
]
Seeds: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Training seeds that the front meets the test set with, to show how far chance moves "
        "its figures; raise it to go on with a finished sweep (default: 1)",
        rich_help_panel=_SEARCH,
    ),
]
Workers: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Trials at once; they share the cores (default: one a core, or one on a GPU)",
        rich_help_panel=_MACHINE,
    ),
]
RayAddress: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Run the trials on a Ray cluster instead: auto, HOST:6379 or ray://HOST:10001.",
        rich_help_panel=_MACHINE,
    ),
]
Storage: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Optuna's database: a URL (sqlite, postgresql+psycopg), or a journal file *.log "
        "(default: study.db in the folder)",
        rich_help_panel=_MACHINE,
    ),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="MIXCON_DATA", help="Folder of local Parquet files.", rich_help_panel=_MACHINE
    ),
]
Accelerator: TypeAlias = Annotated[
    str, typer.Option(help="auto, cpu or cuda.", rich_help_panel=_MACHINE)
]

_AXES = ("lam", "beta", "sigma", "bits", "cut")


def read_options(given: dict[str, Any], out: Path | None) -> tuple[SweepConfig, SweepFolder]:
    """The sweep that the options describe, or that the folder already holds.

    Raises:
        ConfigError: neither, or options that do not go together.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if out and SweepFolder(out).exists and not set(given) - {"trials", "seeds"}:
        folder = SweepFolder(out)
        return SweepConfig.model_validate({**folder.config.model_dump(), **given}), folder
    if "data" not in given:
        raise ConfigError(
            "expected --data, for example --data digits, or --out with a sweep to go on with"
        )
    space = _space(given)
    own = {n: given.pop(n) for n in ("trials", "victims", "seeds") if n in given}
    attacks = tuple(given.pop("attack", ()))
    sampler = given.pop("sampler", "grid" if space.is_grid else "tpe")
    base = TrainConfig(**{"network": "lenet5", **given})
    config = SweepConfig(base=base, space=space, sampler=sampler, attacks=attacks, **own)
    name = f"{base.data.replace(':', '-').replace('/', '-')}-{base.network}"
    return config, SweepFolder(out or Path("sweeps") / name)


def _space(given: dict[str, Any]) -> Space:
    """The search space, taken out of the options."""
    file, grid = given.pop("space", None), given.pop("grid", None)
    defenses = given.pop("defense", None)
    vary = {name: given.pop(name) for name in _AXES if name in given}
    if sum([file is not None, grid is not None, bool(defenses or vary)]) > 1:
        raise ConfigError("expected one of --space, --grid and settings of the space, but got more")
    if grid is not None:
        if grid != "paper":
            raise ConfigError(f"expected --grid paper, but got --grid {grid}")
        return PAPER
    if file is not None:
        return _space_file(file)
    names = {"defenses": tuple(d.strip() for d in defenses.split(","))} if defenses else {}
    return Space.model_validate({**names, "vary": vary})


def _space_file(path: Path) -> Space:
    try:
        return Space.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(f"{path}: expected a search space, but got {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, but got {error}") from error


def _pool(machine: Machine, config: SweepConfig) -> Pool:
    """What the jobs run on: a cluster, all cores shared out among workers, or the one GPU."""
    if machine.ray is not None:
        return RayPool(machine.ray, gpu=machine.accelerator in {"cuda", "gpu"})
    gpu = machine.accelerator != "cpu" and torch.cuda.is_available()
    workers = 1 if gpu else min(cores(), sum(config.budget.values()))
    return LocalPool(machine.workers or workers)


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
    seed = f", seed {trial.config.seed}" if progress.phase == "seeds" else ""
    start = f"{progress.ended:>4}/{progress.total}  {trial.title}{seed}: "
    if seed and trial.test:
        return f"{start}test accuracy {trial.test.accuracy:.1%}"
    if trial.state == "failed":
        return f"{start}[red]failed[/red], {escape(trial.reason or '')}"
    if trial.state == "pruned":
        return f"{start}no better than guessing, not attacked"
    return start + _figures(trial)


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
    machine = Machine(**{field.name: given.pop(field.name) for field in fields(Machine)})
    config, folder = read_options(given, out)
    with (
        interruptible(f"Run the same command again to go on: {folder.path} keeps what was done."),
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
    page = write_sweep(found, folder.path, limits)
    _tell(found)
    chosen = choose(found, limits)
    if chosen:
        console.print(f"\nChosen: {chosen.title}", highlight=False, soft_wrap=True)
        path = folder.path / "chosen.toml"
        console.print(f"Next: mixcon train --config {path}", highlight=False, soft_wrap=True)
    console.print(f"Report: {page}", soft_wrap=True)
    return chosen


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
            console.print(
                f"{trial.title}: test accuracy {trial.test.accuracy:.1%} "
                f"({accuracy.low:.1%} to {accuracy.high:.1%}), excess leakage "
                f"{excess_of(trial.test) or 0.0:.2f} ({excess.low:.2f} to {excess.high:.2f})"
                f"{_over_seeds(sweep, trial)}",
                highlight=False,
                soft_wrap=True,
            )
    console.print(f"Hypervolume of the front, where selected: {sweep.hypervolume:.3f}")
