"""mixcon reproduce."""

from __future__ import annotations

import difflib
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mixcon._files import check_writable, write_whole
from mixcon.cli._console import console, interruptible, overall_progress, say
from mixcon.cli._data_dir import MACHINE, DataDir
from mixcon.cli._options import Accelerator
from mixcon.cli._output import Quiet
from mixcon.cli._working_defense import working_defense
from mixcon.errors import ConfigError
from mixcon.paper import EXPERIMENTS, RunOptions, Scale, Step
from mixcon.paper.elsewhere import record_elsewhere
from mixcon.paper.elsewhere_page import elsewhere_page
from mixcon.paper.page import PICTURE, results_page
from mixcon.paper.results import write_result

__all__ = ["reproduce"]

FRONTIER = "frontier"
ELSEWHERE = "elsewhere"


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"{', '.join(EXPERIMENTS)}, all of these, or alone {FRONTIER} or {ELSEWHERE}."
        ),
    ] = None,
    scale: Annotated[
        Scale,
        typer.Option(
            help="smoke: under a minute each; small: two CPU cores; full: the paper's own size."
        ),
    ] = "small",
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many (default: the experiment's own); of frontier, those after the first "
            "are for finalists.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Of several data sets only this one, e.g. mnist, or of elsewhere only faces; "
            "repeat for more."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the results (default: runs/paper/SCALE), or of the leaderboard "
            "(default: runs/leaderboard)"
        ),
    ] = None,
    work: Annotated[
        Path, typer.Option(help="Folder of trained models and attacks, shared and resumed.")
    ] = Path("runs/paper/work"),
    docs: Annotated[
        Path | None,
        typer.Option(help="Also make this page of all results in --out; without NAMES only that."),
    ] = None,
    data_dir: DataDir = None,
    accelerator: Accelerator = "auto",
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            help=f"Of {FRONTIER}: processes that share the work. Two cores carry two.",
            rich_help_panel=MACHINE,
        ),
    ] = 1,
    quiet: Quiet = False,
) -> None:
    """Reproduce tables and figures of the MixCon paper, and compare them with it row by row.

    Interrupted or killed, the same command goes on where it stopped. Each experiment writes its
    numbers as JSON, its comparison as Markdown and its figure as SVG or PNG.

    frontier records the leaderboard: each defense has a choice of settings, is trained, audited and
    signed. A data set takes hours; entries are on the board as soon as they are done.

    elsewhere trains and audits networks on faces, voices, X-rays, tables and texts, undefended and
    defended; --docs makes the page of it.

    Example: mixcon reproduce table1 table2 figure2 --scale full
    """
    if names and FRONTIER in names:
        _frontier(names, scale, seeds, only or [], out, work, data_dir, accelerator, workers)
        return
    if names and ELSEWHERE in names:
        options = RunOptions(scale, work, (0,), data_dir, tuple(only or ()), accelerator)
        _elsewhere(names, options, out or Path("runs/elsewhere"), docs)
        return
    folder = out or Path("runs/paper") / scale
    chosen = _chosen(names or [], docs)
    for place in (folder, work, docs.parent if docs else folder):
        check_writable(place)
    for done, name in enumerate(chosen):
        experiment = EXPERIMENTS[name]
        count = seeds or experiment.seeds[scale]
        command = f"mixcon reproduce {name} --scale {scale} --seeds {count}"
        command += "".join(f" --only {data}" for data in only or ())
        with (
            _resumable(work),
            overall_progress(name) as show,
        ):
            show(done / len(chosen), "preparation")

            def on_progress(step: Step, before: int = done) -> None:
                show((before + step.share) / len(chosen), step.what)

            options = RunOptions(
                scale,
                work,
                tuple(range(count)),
                data_dir,
                tuple(only or ()),
                accelerator,
                on_progress,
            )
            result = experiment.run(options, command)
            written = write_result(experiment, result, folder)
        say(f"{name}: {', '.join(str(path) for path in written)}")
    if docs:
        _write_page(docs, folder)


def _write_page(docs: Path, folder: Path) -> None:
    """The page and its picture; beside the paper's defense that of the board beside the page."""
    board = docs.parent / "leaderboard"
    working = working_defense(board) if board.is_dir() else None
    page, picture = results_page(folder, docs.parent, working)
    written = [write_whole(folder / PICTURE, picture)] if picture else []
    console.print(*written, write_whole(docs, page), sep="\n", soft_wrap=True)


def _frontier(
    names: list[str],
    scale: Scale,
    seeds: int | None,
    only: list[str],
    out: Path | None,
    work: Path,
    data_dir: Path | None,
    accelerator: str,
    workers: int,
) -> None:
    from mixcon.leaderboard import Frontier, record_frontier  # noqa: PLC0415  needs the extra `serve`
    from mixcon.serving.signing import DEFAULT_KEY, private_key  # noqa: PLC0415

    _check_alone(FRONTIER, names)
    board = out or Path("runs/leaderboard")
    check_writable(board)
    with (
        _resumable(work),
        overall_progress(FRONTIER) as show,
    ):
        options = Frontier(
            board,
            work,
            private_key(DEFAULT_KEY),
            seeds=range(seeds or 1),
            only=only,
            scale=scale,
            data_dir=data_dir,
            accelerator=accelerator,
            workers=workers,
            on_progress=show,
        )
        for entry in record_frontier(options):
            say(f"Added {entry.folder}")
    say(f"mixcon leaderboard page --board {board} draws it.")


def _elsewhere(names: list[str], options: RunOptions, out: Path, docs: Path | None) -> None:
    _check_alone(ELSEWHERE, names)
    for place in (out, options.work, docs.parent if docs else out):
        check_writable(place)
    with (
        _resumable(options.work),
        overall_progress(ELSEWHERE) as show,
    ):
        told = replace(options, on_progress=lambda step: show(step.share, step.what))
        for place in record_elsewhere(told, out):
            say(place / "report.md")
    if docs:
        say(write_whole(docs, elsewhere_page(out, docs.parent)))


def _check_alone(name: str, names: list[str]) -> None:
    if len(names) > 1:
        raise ConfigError(f"expected {name} alone, but got {', '.join(names)}")


def _resumable(work: Path) -> AbstractContextManager[None]:
    return interruptible(f"Run the same command again to go on: {work} keeps what was done.")


def _chosen(names: list[str], docs: Path | None) -> list[str]:
    """The experiments asked for, each once, in the paper's order."""
    for name in names:
        if name != "all" and name not in EXPERIMENTS:
            near = difflib.get_close_matches(name, EXPERIMENTS, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(
                f"expected experiments out of {', '.join(EXPERIMENTS)} or all, but got "
                f"'{name}'{hint}"
            )
    if not names and not docs:
        raise ConfigError("expected experiments, for example table1, or all, but got none")
    return [name for name in EXPERIMENTS if name in names or "all" in names]
