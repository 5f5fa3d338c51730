"""mixcon audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mixcon.attacks import ATTACKS, Attack
from mixcon.audit import Subject, subject_of
from mixcon.audit import audit as run_audit
from mixcon.cli._console import audit_progress, console, interruptible
from mixcon.data import Splits, load
from mixcon.errors import ConfigError
from mixcon.reports import markdown_table, verdict, write_report
from mixcon.training import RunFolder

__all__ = ["audit", "report_on"]


def audit(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders of mixcon train, the undefended one first.")
    ],
    attack: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(ATTACKS)}; repeat for several [default: all that apply]"),
    ] = None,
    victims: Annotated[int, typer.Option(min=1, help="How many test samples to attack.")] = 100,
    seed: Annotated[int, typer.Option(help="Draws the victims and all randomness.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the report [default: RUN/audit of the last run]")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(envvar="MIXCON_DATA", help="Folder of local Parquet files.")
    ] = None,
) -> None:
    """Attack trained models, and report how much of the inputs comes back.

    Example: mixcon audit runs/vanilla runs/m --attack rmle-paper --attack rmle
    """
    configs = [RunFolder(run).config for run in runs]
    sets = {config.data for config in configs}
    if len(sets) > 1:
        raise ConfigError(f"expected runs on one data set, but got {', '.join(sorted(sets))}")
    data = load(configs[0].data, data_dir=data_dir, seed=configs[0].seed)
    subjects = [subject_of(run, data) for run in runs]
    attacks = _attacks(attack, data)
    report_on(subjects, data, attacks, victims, seed, out or runs[-1] / "audit")


def report_on(
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    victims: int,
    seed: int,
    folder: Path,
) -> Path:
    """Audit, write the report, and say on the console what it says; the path of its page."""
    with interruptible("Nothing was written."), audit_progress() as on_progress:
        report, gallery = run_audit(
            subjects, data, attacks, victims=victims, seed=seed, on_progress=on_progress
        )
    page = write_report(report, gallery, folder)
    console.print(markdown_table(report), highlight=False, soft_wrap=True)
    for sentence in verdict(report):
        console.print(sentence, highlight=False)
    console.print(f"\nReport: {page}", soft_wrap=True)
    return page


def _attacks(names: list[str] | None, data: Splits) -> list[Attack[Any]]:
    kind = "images" if data.test.is_image else "vectors"
    if names is None:
        return [attack() for attack in ATTACKS.values() if kind in attack.inputs]
    odd = [name for name in names if name not in ATTACKS]
    if odd:
        raise ConfigError(f"expected attacks out of {', '.join(ATTACKS)}, but got {odd[0]!r}")
    return [ATTACKS[name]() for name in names]
