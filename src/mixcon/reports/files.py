"""Files: a report folder, written whole, and the way back from its JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from mixcon._files import write_whole
from mixcon.audit import Gallery, Report
from mixcon.errors import RunError
from mixcon.reports.columns import Column, columns
from mixcon.reports.figures import Figures, figures_of
from mixcon.reports.html import render_html
from mixcon.reports.tables import markdown_table
from mixcon.reports.verdict import verdict

__all__ = ["read_report", "report_json", "write_figures", "write_report"]

SCHEMA_VERSION: int = Report.model_fields["schema_version"].default
_READABLE = (2, 3, SCHEMA_VERSION)
"""Version 2 does not say how hard an audit tried, 3 has one guess: weak evidence, both of them."""

_LEGEND = (
    "Per attack: mean ± standard deviation over the attacked {thing}s (worst {thing}). Label-only "
    "floor: what the best guess from the class alone gets. Excess leakage: how far the attack that "
    "does best on the attacker's own samples goes from that floor (0) to an exact copy (1). Excess "
    "per {thing}: likewise, of the best attack over the best of as many guesses for each {thing}."
)


def write_report(report: Report, gallery: Gallery, folder: Path) -> Path:
    """Write ``report.json``, ``report.md`` and ``report.html`` into a folder.

    Args:
        report: what was measured.
        gallery: the pictures that belong to it.
        folder: where to; made if missing. Files of these names are replaced.

    Returns:
        The path of ``report.html``.

    Raises:
        ConfigError: the report has no model, attacks without a common metric or without the
            label-only floor, or the gallery does not belong to it. Then nothing is written.
    """
    return write_figures(figures_of(report), gallery, folder)


def write_figures(figures: Figures, gallery: Gallery, folder: Path) -> Path:
    """As `write_report`, of figures that were computed already."""
    folder, page = Path(folder), render_html(figures, gallery)
    text = _markdown(figures, columns(figures, gallery))
    write_whole(folder / "report.json", _json(figures))
    write_whole(folder / "report.md", text)
    return write_whole(folder / "report.html", page)


def report_json(report: Report) -> str:
    """The report as JSON, which `read_report` takes back.

    For who reads it elsewhere it also holds under ``evidence``, model by model, what a gate judges
    by: excess leakage with its interval, how hard the audit tried, and what speaks against it.
    """
    return _json(figures_of(report))


def _json(figures: Figures) -> str:
    content = {**figures.report.model_dump(), "evidence": _evidence(figures)}
    # Infinity (a perfect PSNR) is no JSON number; as a string it comes back as the same float.
    return to_json(content, indent=2, inf_nan_mode="strings").decode() + "\n"


def _evidence(figures: Figures) -> dict[str, dict[str, Any]]:
    found = {summary.model: summary.evidence for summary in figures.models}
    return {
        name: {**evidence.model_dump(), "doubts": evidence.doubts}
        for name, evidence in found.items()
        if evidence
    }


def read_report(path: Path) -> Report:
    """Read a ``report.json`` back.

    Raises:
        RunError: the file is missing, is no JSON, is of another schema version or is no report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"expected a report.json at {path} but got: {error}") from error
    found = content.get("schema_version") if isinstance(content, dict) else None
    if found not in _READABLE:
        raise RunError(
            f"expected a report of schema version {SCHEMA_VERSION} at {path} but got {found}; "
            f"repeat the audit with this version of mixcon"
        )
    content.pop("evidence", None)  # follows from the rest
    try:
        return Report.model_validate({**content, "schema_version": SCHEMA_VERSION})
    except ValidationError as error:
        raise RunError(f"expected a mixcon report at {path} but got: {error}") from error


def _markdown(figures: Figures, found: Sequence[Column]) -> str:
    report = figures.report
    paragraphs = [
        f"# {_inline(report.title)}",
        _inline(" ".join(verdict(figures))),
        markdown_table(figures, found).rstrip(),
        _LEGEND.format(thing=figures.thing),
        *filter(None, [figures.floor_note]),
        f"Seed {report.environment.seed}, started {_inline(report.environment.started)}, on "
        f"{_inline(report.environment.machine)}.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
