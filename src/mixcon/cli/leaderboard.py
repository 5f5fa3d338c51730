"""mixcon leaderboard."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mixcon._files import check_writable, write_whole
from mixcon.cli._allow import AllowCode, allow_typed
from mixcon.cli._console import audit_progress, console, interruptible, say
from mixcon.cli._data_dir import DataDir
from mixcon.cli._output import Json, print_json
from mixcon.errors import RunError

__all__ = ["leaderboard"]

leaderboard = typer.Typer(
    no_args_is_help=True,
    help="Compare audited defenses: add an entry, check one again, write the page.",
)

Board = Annotated[Path, typer.Option(help="Folder of the leaderboard.")]
Key = Annotated[
    Path | None,
    typer.Option(envvar="MIXCON_SIGNING_KEY", help="Ed25519 key that signs, made if missing."),
]
_BOARD = Path("docs/leaderboard")
_PAGE = _BOARD.with_suffix(".md")
_AGAIN = "Run the same command again to go on: finished attacks are kept."


@leaderboard.command()
def add(
    run: Annotated[Path, typer.Argument(help="Run folder of mixcon train.")],
    report: Annotated[
        Path | None,
        typer.Option(
            help="report.json of an audit of it (default: RUN/audit/report.json, made if missing)"
        ),
    ] = None,
    board: Board = _BOARD,
    key: Key = None,
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
) -> None:
    """Audit a run if that was not done, sign run and audit, and put them on the board.

    Writes the page of the board anew: BOARD.md beside the folder.

    Example: mixcon leaderboard add runs/mine
    """
    from mixcon.leaderboard import add_entry, audit_for_board  # noqa: PLC0415  needs `serve`
    from mixcon.serving.signing import DEFAULT_KEY, private_key  # noqa: PLC0415
    from mixcon.training import RunFolder  # noqa: PLC0415

    check_writable(board)
    splits = RunFolder(run).config.load_data(data_dir)
    found = report or run / "audit" / "report.json"
    if report is None and not found.is_file():
        with interruptible(_AGAIN), audit_progress() as show:
            audit_for_board([run], splits, found.parent, on_progress=show)
    entry = add_entry(run, found, board, splits, private_key(key or DEFAULT_KEY))
    say(f"Added {entry.folder}")
    page(board, board.with_suffix(".md"))


@leaderboard.command()
def rescore(
    entries: Annotated[
        list[Path] | None, typer.Argument(help="Folders of entries (default: all of the board)")
    ] = None,
    attack: Annotated[
        list[str] | None,
        typer.Option(
            help="Also this attack: package.module:name of your own, or one that is not among the "
            "strongest; repeat for several."
        ),
    ] = None,
    board: Board = _BOARD,
    key: Key = None,
    work: Annotated[
        Path, typer.Option(help="Folder of reports and finished attacks, from which it goes on.")
    ] = Path("runs/rescored"),
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
) -> None:
    """Audit entries again, by today's strongest attacks and new ones, and sign them anew.

    Takes minutes an entry. Sign with the key of the board, or who trusts it will refuse them.

    Example: mixcon leaderboard rescore --attack mine.attacks:Sharper
    """
    from mixcon.attacks import ATTACKS  # noqa: PLC0415
    from mixcon.leaderboard import read_entries, read_entry, rescore_entry  # noqa: PLC0415
    from mixcon.serving.signing import DEFAULT_KEY, private_key  # noqa: PLC0415

    allow_typed(*(attack or ()))
    extra = [ATTACKS.find(name)() for name in attack or ()]
    check_writable(work)
    signing_key = private_key(key or DEFAULT_KEY)
    found = [read_entry(each) for each in entries] if entries else read_entries(board)
    for entry in found:
        splits = entry.config.load_data(data_dir)
        with interruptible(_AGAIN), audit_progress() as show:
            rescore_entry(entry, extra, board, splits, signing_key, work, show)
        say(f"Scored {entry.folder} again")
    page(board, board.with_suffix(".md"))


@leaderboard.command()
def verify(
    entry: Annotated[Path, typer.Argument(help="Folder of an entry.")],
    trust: Annotated[
        Path | None, typer.Option(help="Public key that is to have signed it (default: its own)")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Draws the victims (default: a new one each time)")
    ] = None,
    victims: Annotated[int, typer.Option(min=2)] = 100,
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
    as_json: Json = False,
) -> None:
    """Check signature and hashes, and measure accuracy and leakage again on new victims.

    Takes a minute or two. Exits with 1 where the entry does not hold.

    Example: mixcon leaderboard verify docs/leaderboard/mnist/vanilla-lenet5-s0
    """
    from mixcon.leaderboard import read_entry, verify_entry  # noqa: PLC0415

    found = read_entry(entry, trust)
    drawn = secrets.randbelow(2**31) if seed is None else seed
    splits = found.config.load_data(data_dir)
    with interruptible("Nothing was written."), audit_progress() as show:
        findings = verify_entry(found, splits, seed=drawn, victims=victims, on_progress=show)
    table = Table("", "Recorded", "Measured", "Holds", box=None)
    for each in findings:
        table.add_row(each.claim, each.recorded, each.measured, "yes" if each.holds else "no")
    console.print(table)
    if as_json:
        print_json({"seed": drawn, "findings": [asdict(each) for each in findings]})
    console.print(f"Victims drawn by --seed {drawn}.")
    if not all(each.holds for each in findings):
        raise typer.Exit(1)


@leaderboard.command()
def page(
    board: Board = _BOARD,
    out: Annotated[Path, typer.Option(help="The page.")] = _PAGE,
) -> None:
    """Write the page of all entries, with a picture of its fronts where Matplotlib is installed.

    Example: mixcon leaderboard page
    """
    from mixcon.leaderboard import (  # noqa: PLC0415
        FRONTS,
        board_rows,
        fronts_picture,
        leaderboard_page,
        read_entries,
    )

    entries = read_entries(board)
    if not entries:
        raise RunError(f"expected entries in {board}, but got none: run mixcon leaderboard add")
    rows = board_rows(entries)
    if find_spec("matplotlib"):
        write_whole(board / FRONTS, fronts_picture(rows))
    say(write_whole(out, leaderboard_page(rows, board, out)))
