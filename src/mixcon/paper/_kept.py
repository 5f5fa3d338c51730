"""Measurements that are kept between runs, each with the time it took."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from mixcon._files import write_whole

__all__ = ["Kept"]

T = TypeVar("T")


@dataclass
class Kept:
    """JSON files in one folder, named by what they are about.

    Attributes:
        folder: where they lie; made on the first use.
        times: wall seconds of all measurements that were asked for, whenever they ran.
    """

    folder: Path
    times: dict[Path, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The sum of `times`."""
        return sum(self.times.values())

    def path(self, about: Any, ending: str = "json") -> Path:
        """The file about something that JSON can hold."""
        name = sha256(json.dumps(about).encode()).hexdigest()[:20]
        return self.folder / f"{name}.{ending}"

    def value(self, about: Any, measure: Callable[[], T]) -> T:
        """What an earlier call measured, or what `measure` gives now: numbers, texts, lists."""
        path = self.path(about)
        if not path.is_file():
            started = time.monotonic()
            value = measure()
            seconds = round(time.monotonic() - started, 3)
            write_whole(path, json.dumps({"about": about, "seconds": seconds, "value": value}))
        read = json.loads(path.read_text(encoding="utf-8"))
        self.times[path] = read["seconds"]
        found: T = read["value"]
        return found
