"""The page on other data, made from the reports alone."""

from __future__ import annotations

import math
import os
from pathlib import Path
from statistics import fmean, stdev

from pydantic import TypeAdapter, ValidationError

from mixcon.audit import ModelRecord, Report, SecretRecord
from mixcon.errors import RunError
from mixcon.metrics import Metric, metric_named
from mixcon.paper.elsewhere import ACCURACIES, Accuracies
from mixcon.paper.elsewhere_cases import CASES, Case
from mixcon.reports import Summary, figures_of, read_report, verdict
from mixcon.reports.headline import beside

__all__ = ["elsewhere_page"]

_HEAD = """\
# Faces, voices, X-rays, tables, texts

Networks on data that is not digits, each undefended, with a defense that is trained in, and with
the same defense learned behind the undefended encoder (`mixcon adapt`). This page is made by
`mixcon reproduce elsewhere --out {docs}/{link} --docs {docs}/elsewhere.md`; no number was typed by
hand. The attacked models are those of the first training seed; *over seeds* are the mean test
accuracy of five and its deviation. A difference of a few test samples means nothing.

*Attack*: the mean over the victims of the best single attack, chosen on the attacker's own samples;
*floor*: that of the best guess from the class alone, chosen likewise. *Excess*: how far the attack
goes from the floor (0) to an exact copy (1), with its 95 % interval. *Bits*: maximal leakage,
proved for every attacker; seeing z multiplies the chance of any guess by at most 2^bits. Other
metrics are of the same attack, but for re-identification: who wants names chooses by names. A
*secret* is read from z by a probe; beside it stand what a guess from the class gets, what no
attacker exceeds, and how many of the secret's own bits z can tell. Pictures: victims, and below
them what came closest to each; of sounds the first victim in gray; of texts what became of the
first, wrong words struck through.
"""


def elsewhere_page(folder: Path, docs: Path) -> str:
    """All cases that are recorded in a folder, as one Markdown page.

    Args:
        folder: where `record_elsewhere` has written.
        docs: the folder that the page is for; its links start there.

    Raises:
        RunError: nothing is recorded, or a report cannot be read.
    """
    there = [case for case in CASES.values() if (folder / case.name / "report.json").is_file()]
    if not there:
        raise RunError(
            f"expected reports in {folder}, but got none: run mixcon reproduce elsewhere first"
        )
    link = Path(os.path.relpath(folder, docs)).as_posix()
    parts = [_HEAD.format(link=link, docs=docs.resolve().name)]
    parts += [_section(case, folder / case.name, f"{link}/{case.name}") for case in there]
    return "\n".join(parts)


def _section(case: Case, folder: Path, link: str) -> str:
    report = read_report(folder / "report.json")
    figures, where = figures_of(report), report.environment
    over_seeds = _accuracies(folder / ACCURACIES)
    rows = [
        _row(case, model, figures.of(model), figures.scale, over_seeds) for model in report.models
    ]
    head = list(rows[0])
    table = [head, [":--", *["--:"] * (len(head) - 1)], *(list(row.values()) for row in rows)]
    lines = ["| " + " | ".join(cells) + " |" for cells in table]
    return "\n".join(
        [
            f"## {case.title}\n\n{case.about}\n",
            *lines,
            "",
            *_pictures(report, folder, link),
            " ".join(verdict(figures)[:3]).replace("<", "&lt;") + "\n",
            f"{_attacks(report)} `{where.command}`: started {where.started}, on {where.machine}; "
            f"[all figures]({link}/report.md), [records]({link}/report.json).\n",
        ]
    )


def _accuracies(path: Path) -> Accuracies:
    try:
        return TypeAdapter(Accuracies).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise RunError(
            f"{path}: expected accuracies, but got {error}; delete {path.parent} and run mixcon "
            "reproduce elsewhere again"
        ) from error


def _row(
    case: Case, model: ModelRecord, summary: Summary, scale: Metric, over_seeds: Accuracies
) -> dict[str, str]:
    found = [100 * each for each in over_seeds[model.name]]
    spread = f" ± {stdev(found):.1f}" if len(found) > 1 else ""
    row = {
        "Model": model.name,
        "Accuracy": f"{100 * model.accuracy:.1f} %",
        "Over seeds": f"{fmean(found):.1f}{spread} %",
        "Numbers sent": f"{model.numbers_sent:,}",
        "Bits": _bits(model),
        f"{scale.label}: attack": "" if summary.leakage is None else scale.text(summary.leakage),
        "Floor": "" if summary.floor is None else scale.text(summary.floor),
        "Excess": _excess(summary),
    }
    for name in case.metrics:
        other = beside(model, summary.found, name) if summary.found else None
        if other:
            metric = metric_named(name)
            row[metric.label] = metric.text(fmean(other.leakage))
    return row | {f"Secret {secret.name}": _secret(secret) for secret in model.secrets}


def _bits(model: ModelRecord) -> str:
    bits = model.bits.maximal_leakage if model.bits else None
    return "no bound" if bits is None else f"{bits:.1f}"


def _excess(summary: Summary) -> str:
    if summary.excess is None:
        return ""
    low, high = summary.interval or (summary.excess, summary.excess)
    return f"{summary.excess:z.2f} [{low:z.2f}, {high:z.2f}]"


def _secret(secret: SecretRecord) -> str:
    most = "no bound" if secret.most >= 1 else f"at most {secret.most:.0%}"
    bits, entropy = secret.bits or math.inf, secret.entropy or 0.0
    told = f", {bits:.1f} of {entropy:.1f} bits" if bits < entropy else ""
    return f"{secret.accuracy:.0%}, class {secret.from_class:.0%}, {most}{told}"


def _attacks(report: Report) -> str:
    names = ", ".join(attack.attack for attack in report.models[0].attacks)
    return f"{len(report.models[0].attacks[0].leakage['mse'])} victims, attacked by {names}."


def _pictures(report: Report, folder: Path, link: str) -> list[str]:
    found = []
    for number, model in enumerate(report.models):
        for path in sorted(folder.glob(f"{number}.*")):
            found.append(f"![{model.name}]({link}/{path.name})\n\n{model.name}\n")
    return found
