"""Faces, voices, X-rays, tables, texts: networks undefended and defended, audited alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from mixcon._files import write_whole
from mixcon.audit import AuditProgress, Gallery, Report, Subject, run_audit, subject_of
from mixcon.paper._experiment import RunOptions, Step
from mixcon.paper._models import Trained, train_or_load
from mixcon.paper.elsewhere_cases import CASES, Case
from mixcon.reports import thumbnail, write_report
from mixcon.training import accuracy

__all__ = ["ACCURACIES", "record_elsewhere"]

ACCURACIES = "accuracies.json"
"""File beside a report: test accuracies by model, one a training seed."""

Accuracies: TypeAlias = dict[str, list[float]]

_SEEDS = 5  # of the trainings; the first one's models are attacked
_VICTIMS, _FEW = 50, 8


def record_elsewhere(options: RunOptions, folder: Path) -> Iterator[Path]:
    """Train and audit each case; its report and its pictures, as soon as they are there.

    A case whose report is there is not measured again.

    Args:
        options: what to run and where; `RunOptions.only` names cases.
        folder: gets a folder a case.

    Raises:
        ConfigError: no such case.
        MixconError: as training and audit raise them.
    """
    for name, own in options.parts(options.chosen(list(CASES))):
        place = folder / name
        if not (place / "report.json").is_file():
            case = CASES[name].smoke() if options.scale == "smoke" else CASES[name]
            _write(*_measured(case, own), own.work / "elsewhere" / name, place)
        yield place


def _measured(case: Case, options: RunOptions) -> tuple[Report, Gallery, Accuracies]:
    smoke = options.scale == "smoke"
    seeds = range(1 if smoke else _SEEDS)
    (_, training), (_, attacking) = options.parts(("train", "attack"))
    runs = [_trained(case, part, seed) for seed, part in training.parts(seeds)]
    data = next(iter(runs[0].values())).data

    def show(progress: AuditProgress) -> None:
        what = f"{case.name}: {progress.model} {progress.phase}".rstrip()
        attacking.on_progress(Step(what, progress.done))

    report, gallery = run_audit(
        [_subject(name, trained) for name, trained in runs[0].items()],
        data,
        case.attacks,
        victims=min(_FEW if smoke else _VICTIMS, len(data.test)),
        thorough=not smoke,
        secrets=case.secrets,
        keep=options.work / "elsewhere" / case.name / "attacks",
        on_progress=show,
    )
    command = f"mixcon reproduce elsewhere --only {case.name}" + " --scale smoke" * smoke
    environment = report.environment.model_copy(update={"command": command})
    title = f"{case.title}: {data.train.name}"
    report = report.model_copy(update={"environment": environment, "title": title})
    found = {name: [accuracy(run[name].model, data.test) for run in runs] for name in runs[0]}
    return report, gallery, found


def _trained(case: Case, options: RunOptions, seed: int) -> dict[str, Trained]:
    """Undefended, defended from the start, and defended behind the undefended encoder."""
    own = (
        replace(part, work=part.work / "elsewhere" / case.name / kind)
        for kind, part in options.parts(("undefended", "defended", "adapted"))
    )
    plain = train_or_load(next(own), case.undefended(seed))
    late = train_or_load(next(own), case.defended(seed))
    behind = train_or_load(next(own), case.adapted(plain.folder.path, seed))
    return {
        f"{plain.config.defense}, cut after {plain.config.cut}": plain,
        f"{late.config.defense}, cut after {late.config.cut}": late,
        f"{late.config.defense}, adapted, cut after {late.config.cut}": behind,
    }


def _subject(name: str, trained: Trained) -> Subject:
    subject = subject_of(trained.folder.path, trained.model)
    return replace(subject, name=name, defense=name)


def _write(report: Report, gallery: Gallery, found: Accuracies, work: Path, folder: Path) -> None:
    """The report but for its page, which is large, and a few victims above what became of them."""
    write_report(report, gallery, work)
    write_whole(folder / ACCURACIES, json.dumps(found, indent=1) + "\n")
    for number, model in enumerate(report.models):
        if drawn := thumbnail(model, gallery):
            ending, content = drawn
            write_whole(folder / f"{number}.{ending}", content)
    for name in ("report.md", "report.json"):  # the last one says that the case is whole
        write_whole(folder / name, (work / name).read_text(encoding="utf-8"))
