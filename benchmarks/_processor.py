"""What processes got of the processors, and how long they waited for one: Linux says so."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["Usage"]


@dataclass(frozen=True)
class Usage:
    """Of all threads of one process, up to a moment.

    Attributes:
        at: seconds, the moment.
        on: seconds on a processor.
        waiting: seconds ready to run, without a processor: other work's part.
    """

    at: float
    on: float
    waiting: float

    @classmethod
    def of(cls, process: int | str = "self") -> Self:
        """Up to now."""
        threads = Path(f"/proc/{process}/task").glob("*/schedstat")
        found = [file.read_text().split() for file in threads]
        on, waiting = (sum(int(words[i]) for words in found) / 1e9 for i in (0, 1))
        return cls(time.perf_counter(), on, waiting)

    def since(self, earlier: Usage) -> Usage:
        """What came since then."""
        on, waiting = self.on - earlier.on, self.waiting - earlier.waiting
        return Usage(self.at - earlier.at, on, waiting)

    def __str__(self) -> str:
        """In percent of the time."""
        return f"{self.on / self.at:.0%} / {self.waiting / self.at:.0%}"
