"""How a benchmark prints what it measured: where and by which command, then line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mixcon.audit import environment_of

__all__ = ["print_record"]


def print_record(command: str, lines: Iterable[str], seed: int = 0) -> None:
    """Print the command that measures the same again, the machine, and each line when it is there.

    Args:
        command: as one types it.
        lines: what was measured.
        seed: it starts from.
    """
    where = environment_of(command, seed)
    print(f"{where.command}\n{where.machine}, {json.dumps(where.versions)}, {where.started}\n")
    for line in lines:
        print(line, flush=True)
