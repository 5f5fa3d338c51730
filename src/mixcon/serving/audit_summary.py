"""What a contract says of an audit, out of its report."""

from __future__ import annotations

import math
from pathlib import Path

from mixcon.audit import fingerprint
from mixcon.errors import ConfigError
from mixcon.reports import figures_of, read_report
from mixcon.serving.contract import AuditSummary, sha256
from mixcon.split import SplitModel

__all__ = ["summary_of"]


def summary_of(path: Path, model: SplitModel, defense: str) -> AuditSummary:
    """What the report found out about this very model: its weights, under its defense.

    Args:
        path: ``report.json`` of an audit.
        model: the model that is exported.
        defense: its defense.

    Raises:
        RunError: an unreadable report.
        ConfigError: a report on other weights, or without finite numbers.
    """
    report, weights = read_report(path), fingerprint(model)
    found = [m for m in report.models if (m.weights, m.defense) == (weights, defense)]
    if not found:
        names = ", ".join(repr(m.name) for m in report.models)
        raise ConfigError(
            f"{path}: expected a report on this run, {defense!r} with weights "
            f"{weights[:8]}..., but it is on other weights: {names}; audit the run again, or pass "
            "the right --report"
        )
    evidence = figures_of(report).of(found[0]).evidence
    if evidence is None:
        raise ConfigError(f"{path}: expected a report of at least one attack, but it has none")
    numbers = (evidence.leakage, evidence.floor, evidence.excess)
    if not all(map(math.isfinite, numbers)):
        raise ConfigError(f"{path}: expected finite leakage, but got {numbers}")
    return AuditSummary(report_sha256=sha256(path.read_bytes()), **evidence.model_dump())
