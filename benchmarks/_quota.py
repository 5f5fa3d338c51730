"""A part of a core for a process, by a control group of Linux; takes root."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["shares_of_a_core"]

_PERIOD = 10_000  # microseconds: short, so that a process that used up its part waits briefly
_ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def shares_of_a_core(processes: Sequence[int], share: float) -> Iterator[None]:
    """Let each of these processes, with all its threads, use so much of a core and no more.

    Raises:
        OSError: not root, or no control groups.
    """
    unified = (_ROOT / "cgroup.controllers").is_file()
    parent = _ROOT if unified else _ROOT / "cpu"
    quota = int(share * _PERIOD)
    with contextlib.ExitStack() as stack:
        for pid in processes:
            group = parent / f"mixcon-{os.getpid()}-{pid}"
            group.mkdir()
            stack.callback(group.rmdir)
            if unified:
                (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
            else:
                (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
                (group / "cpu.cfs_quota_us").write_text(str(quota))
            (group / "cgroup.procs").write_text(str(pid))
            stack.callback((parent / "cgroup.procs").write_text, str(pid))
        yield
