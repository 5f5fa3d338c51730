"""Faces, voices, X-rays and tables: the same networks undefended and defended, audited alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mixcon._files import write_whole
from mixcon.audit import AuditProgress, Gallery, Report, Subject, run_audit, subject_of
from mixcon.paper._experiment import RunOptions, Step
from mixcon.paper._models import train_or_load
from mixcon.paper.elsewhere_cases import CASES, Case
from mixcon.reports import thumbnail, write_report
from mixcon.training import TrainConfig

__all__ = ["record_elsewhere"]

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


def _measured(case: Case, options: RunOptions) -> tuple[Report, Gallery]:
    subjects = list(_subjects(case, options))
    data = case.undefended.load_data(options.data_dir)

    def show(progress: AuditProgress) -> None:
        what = f"{case.name}: {progress.model} {progress.phase}".rstrip()
        options.on_progress(Step(what, 0.3 + 0.7 * progress.done))

    smoke = options.scale == "smoke"
    report, gallery = run_audit(
        subjects,
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
    return report.model_copy(update={"environment": environment, "title": title}), gallery


def _subjects(case: Case, options: RunOptions) -> Iterator[Subject]:
    """Undefended, defended from the start, and defended behind the undefended encoder."""
    base = options.work / "elsewhere" / case.name
    yield _subject(case.undefended, "", replace(options, work=base / "undefended"))
    run = next(path.parent for path in (base / "undefended").glob("*/config.toml"))
    yield _subject(case.defended, "", replace(options, work=base / "defended"))
    yield _subject(case.adapted(run), ", adapted", replace(options, work=base / "adapted"))


def _subject(config: TrainConfig, suffix: str, options: RunOptions) -> Subject:
    quiet = replace(options, on_progress=lambda step: options.on_progress(Step(step.what, 0.0)))
    trained = train_or_load(quiet, config)
    name = f"{config.defense}{suffix}, cut after {config.cut}"
    return replace(subject_of(trained.folder.path, trained.model), name=name, defense=name)


def _write(report: Report, gallery: Gallery, work: Path, folder: Path) -> None:
    """The report but for its page, which is large, and a few victims above what became of them."""
    write_report(report, gallery, work)
    for number, model in enumerate(report.models):
        if drawn := thumbnail(model, gallery):
            ending, content = drawn
            write_whole(folder / f"{number}.{ending}", content)
    for name in ("report.md", "report.json"):  # the last one says that the case is whole
        write_whole(folder / name, (work / name).read_text(encoding="utf-8"))
