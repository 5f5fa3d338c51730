"""mixcon leaderboard."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from mixcon._files import check_writable, write_whole
from mixcon.cli._allow import AllowCode
from mixcon.cli._console import audit_progress, console, interruptible
from mixcon.cli._options import DataDir
from mixcon.cli._output import Json, print_json
from mixcon.errors import RunError

__all__ = ["leaderboard"]

leaderboard = typer.Typer(
    no_args_is_help=True,
    help="Compare audited defenses: add an entry, check one again, write the page.",
)

Board = Annotated[Path, typer.Option(help="Folder of the leaderboard.")]


@leaderboard.command()
def add(
    run: Annotated[Path, typer.Argument(help="Run folder of mixcon train.")],
    report: Annotated[
        Path | None,
        typer.Option(help="report.json of an audit of it (default: RUN/audit/report.json)"),
    ] = None,
    board: Board = Path("docs/leaderboard"),
    key: Annotated[
        Path | None,
        typer.Option(envvar="MIXCON_SIGNING_KEY", help="Ed25519 key that signs, made if missing."),
    ] = None,
    data_dir: DataDir = None,
    allow_code: AllowCode = None,
) -> None:
    """Bundle a run with its audit, sign it, and put it on the board.

    Example: mixcon leaderboard add runs/mine
    """
    from mixcon.leaderboard import add_entry  # noqa: PLC0415  needs the extra `serve`
    from mixcon.serving.signing import DEFAULT_KEY, private_key  # noqa: PLC0415
    from mixcon.training import RunFolder  # noqa: PLC0415

    check_writable(board)
    splits = RunFolder(run).config.load_data(data_dir)
    entry = add_entry(
        run, report or run / "audit" / "report.json", board, splits, private_key(key or DEFAULT_KEY)
    )
    console.print(f"Added {entry.folder}", soft_wrap=True)


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
    board: Board = Path("docs/leaderboard"),
    out: Annotated[Path, typer.Option(help="The page.")] = Path("docs/leaderboard.md"),
) -> None:
    """Write the page of all entries.

    Example: mixcon leaderboard page
    """
    from mixcon.leaderboard import leaderboard_page, read_entries  # noqa: PLC0415

    entries = read_entries(board)
    if not entries:
        raise RunError(f"expected entries in {board}, but got none: run mixcon leaderboard add")
    console.print(f"{write_whole(out, leaderboard_page(entries, board, out))}", soft_wrap=True)
