"""Files: a report folder, written whole, and the way back from its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from mixcon._files import write_whole
from mixcon.audit import Gallery, Report
from mixcon.errors import RunError
from mixcon.reports.html import render_html
from mixcon.reports.summary import headline_metric, summarize
from mixcon.reports.tables import markdown_table
from mixcon.reports.verdict import verdict

__all__ = ["read_report", "report_json", "write_report"]

SCHEMA_VERSION: int = Report.model_fields["schema_version"].default
_READABLE = (2, SCHEMA_VERSION)
"""Version 2 does not say how hard an audit tried; as evidence it counts as weak."""

_LEGEND = (
    "Per attack: mean ± standard deviation over the attacked images (worst image). Label-only "
    "floor: what a guess from the class alone gets. Excess of strongest: how far the strongest "
    "attack per image goes from that floor (0) to an exact copy (1)."
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
    page = render_html(report, gallery)
    text = _markdown(report)
    write_whole(folder / "report.json", report_json(report))
    write_whole(folder / "report.md", text)
    return write_whole(folder / "report.html", page)


def report_json(report: Report) -> str:
    """The report as JSON, which `read_report` takes back.

    For who reads it elsewhere it also holds under ``evidence``, model by model, what a gate judges
    by: excess leakage with its interval, how hard the audit tried, and what speaks against it.
    """
    content = {**report.model_dump(), "evidence": _evidence(report)}
    # Infinity (a perfect PSNR) is no JSON number; as a string it comes back as the same float.
    return to_json(content, indent=2, inf_nan_mode="strings").decode() + "\n"


def _evidence(report: Report) -> dict[str, dict[str, Any]]:
    metric = headline_metric(report)
    found = {model.name: summarize(model, metric).evidence for model in report.models}
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


def _markdown(report: Report) -> str:
    paragraphs = [
        f"# {_inline(report.title)}",
        _inline(" ".join(verdict(report))),
        markdown_table(report).rstrip(),
        _LEGEND,
        f"Seed {report.environment.seed}, started {_inline(report.environment.started)}, on "
        f"{_inline(report.environment.machine)}.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _inline(text: str) -> str:
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
