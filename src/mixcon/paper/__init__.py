"""The paper's tables and figures, one a file; adding one is a file and a line here."""

from __future__ import annotations

from mixcon.paper._experiment import Check, Experiment, Findings, Job, Result, Row, Scale, Step

__all__ = [
    "EXPERIMENTS",
    "Check",
    "Experiment",
    "Findings",
    "Job",
    "Result",
    "Row",
    "Scale",
    "Step",
]

EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in ()}
