"""Where and when a figure was measured, written down beside it."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

from mixcon.audit.records import Environment
from mixcon.training import versions

__all__ = ["command_line", "environment_of"]


def command_line() -> str:
    """This process's command, as one types it again; no path of the program itself."""
    program, *words = sys.argv
    name = Path(program).name
    return shlex.join(["mixcon" if name == "__main__.py" else name, *words])


def environment_of(command: str, seed: int) -> Environment:
    """This machine, now.

    Args:
        command: the command line that measures the same again.
        seed: the seed it starts from.
    """
    return Environment(
        command=command,
        seed=seed,
        machine=_machine(),
        versions=versions(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _machine() -> str:
    parts = [_processor(), f"{os.cpu_count()} cores", f"{torch.get_num_threads()} torch threads"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)


def _processor() -> str:
    """The processor's name, which Linux alone keeps out of `platform`."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
