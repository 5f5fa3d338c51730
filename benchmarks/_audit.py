"""One audit in a cache of its own: seconds of each phase, and the memory of the process."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

from mixcon.attacks import strongest
from mixcon.audit import AuditProgress, Report, Subject, run_audit
from mixcon.data import Splits
from mixcon.reports import figures_of, verdict, write_figures


def audited(
    subject: Subject, data: Splits, *, victims: int, seconds: float | None, budget: float = 1.0
) -> tuple[Report, dict[str, float]]:
    """The default audit and its report, with nothing out of an earlier cache."""
    clock, spent = [time.monotonic()], dict[str, float]()
    phase = ["start"]

    def note(progress: AuditProgress) -> None:
        now = time.monotonic()
        if phase[0] != progress.phase:
            print(f"{progress.done:>4.0%}  {progress.phase}", flush=True)
        spent[phase[0]] = spent.get(phase[0], 0.0) + now - clock[0]
        clock[0], phase[0] = now, progress.phase

    with tempfile.TemporaryDirectory() as folder:
        os.environ["MIXCON_CACHE"] = folder
        report, gallery = run_audit(
            [subject],
            data,
            strongest(data.test.kind, budget),
            victims=victims,
            thorough=True,
            seconds=None if seconds is None else 0.95 * seconds,
            on_plan=lambda plan: print(f"estimate: {plan.duration}; {plan.shortened}", flush=True),
            on_progress=note,
        )
        figures = figures_of(report)
        write_figures(figures, gallery, Path(folder) / "report")
    spent["report"] = time.monotonic() - clock[0]
    for sentence in verdict(figures):
        print(sentence)
    return report, spent


def table(spent: dict[str, float]) -> None:
    """The seconds of each phase and its share, the longest first, as rows of Markdown."""
    whole = sum(spent.values())
    print("\n| phase | seconds | share |\n| :-- | --: | --: |")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"| `{name}` | {seconds:.1f} | {100 * seconds / whole:.0f} % |")
    print(f"| all | {whole:.1f} | |")


def peak() -> float:
    """The most memory that this process held, in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
