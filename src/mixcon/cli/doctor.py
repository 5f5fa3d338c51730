"""mixcon doctor."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape

from mixcon.cli._checkup import checkup
from mixcon.cli._output import Json, print_json

__all__ = ["doctor"]

_MARKS = {"ok": "[green]ok [/]", "off": "[dim]-  [/]", "bad": "[red]bad[/]"}


def doctor(as_json: Json = False) -> None:
    """Check the installation, devices, data, folders and extras, and say how to mend them.

    Exits with 1 where something is broken; what is merely not installed is no fault.

    Example: mixcon doctor --json
    """
    findings = list(checkup())
    broken = any(finding.state == "bad" for finding in findings)
    if as_json:
        print_json({"ok": not broken, "findings": [asdict(f) for f in findings]})
    else:
        console, last = Console(soft_wrap=True, highlight=False), ""
        for finding in findings:
            if finding.section != last:
                console.print(f"[bold]{finding.section}[/]")
            last = finding.section
            cure = f"; {finding.cure}" if finding.cure else ""
            console.print(
                f"  {_MARKS[finding.state]} {finding.name:<13} {escape(finding.found + cure)}"
            )
    raise typer.Exit(broken)
