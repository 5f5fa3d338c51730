"""Audit an entry: for the first time, or again when there are stronger attacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mixcon.attacks import Attack, strongest
from mixcon.audit import AuditProgress, Report, Subject, run_audit, subject_of
from mixcon.data import Splits
from mixcon.leaderboard.entry import Entry, add_entry
from mixcon.leaderboard.tuning import title_of
from mixcon.reports import write_report
from mixcon.training import RunFolder, device_of, load_model

__all__ = ["audit_for_board", "named", "rescore_entry"]

VICTIMS = 100
"""How many inputs every audit of the board attacks, drawn by seed 0: the same for all entries."""


def named(run: Path, splits: Splits, accelerator: str = "cpu") -> Subject:
    """A run under its title, which tells cuts, frozen encoders and label smoothing apart."""
    model = load_model(run, splits).to(device_of(accelerator))
    config = RunFolder(run).config
    title = title_of(config)
    name = f"{title}, seed {config.seed}" if config.seed else title
    return replace(subject_of(run, model), name=name, defense=title)


def audit_for_board(
    runs: Sequence[Path],
    splits: Splits,
    folder: Path,
    attacks: Sequence[Attack[Any]] | None = None,
    *,
    keep: Path | None = None,
    accelerator: str = "cpu",
    on_progress: Callable[[AuditProgress], None] = lambda _: None,
) -> Report:
    """The audit that the board asks for: thorough, all of the strongest attacks, the same victims.

    Args:
        runs: run folders, or entries, on one data set.
        splits: their data.
        folder: where the report is written.
        attacks: in place of the strongest ones.
        keep: folder of finished attacks; ``folder/attacks`` by default.
        accelerator: where the models are attacked, see `mixcon.training.device_of`.
        on_progress: told about progress.
    """
    report, gallery = run_audit(
        [named(run, splits, accelerator) for run in runs],
        splits,
        strongest(splits.test.kind) if attacks is None else attacks,
        victims=min(VICTIMS, len(splits.test)),
        thorough=True,
        keep=keep or folder / "attacks",
        on_progress=on_progress,
    )
    write_report(report, gallery, folder)
    return report


def rescore_entry(
    entry: Entry,
    extra: Sequence[Attack[Any]],
    board: Path,
    splits: Splits,
    key: Ed25519PrivateKey,
    work: Path,
    on_progress: Callable[[AuditProgress], None] = lambda _: None,
) -> Entry:
    """Audit an entry again by today's strongest attacks and more, and sign it anew.

    Args:
        entry: read, so its signature and hashes hold.
        extra: attacks besides the strongest.
        board: folder of the leaderboard.
        splits: the data of its run.
        key: signs the entry.
        work: folder of reports and finished attacks.
        on_progress: told about progress.
    """
    folder = work / entry.folder.parent.name / entry.folder.name
    known = {attack.name for attack in extra}
    attacks = [a for a in strongest(splits.test.kind) if a.name not in known]
    audit_for_board([entry.folder], splits, folder, [*attacks, *extra], on_progress=on_progress)
    report = folder / "report.json"
    return add_entry(entry.folder, report, board, splits, key, trained_on=entry.trained_on)
