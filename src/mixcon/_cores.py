"""How many cores there are for this process."""

from __future__ import annotations

import os

__all__ = ["cores"]


def cores() -> int:
    """Those that this process may use, where the system says so."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1
