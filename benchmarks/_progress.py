"""How far all sections are, and the time to their end: by how long each took here last time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from mixcon._files import write_whole
from mixcon._places import cache_folder
from mixcon.cli._console import overall_progress

_KEPT = cache_folder() / "benchmarks.json"
_listeners: list[Callable[[float], None]] = []


def report(share: float) -> None:
    """Say how much of the section that runs is done, in [0, 1]."""
    for listener in _listeners:
        listener(share)


@contextmanager
def course(sections: Sequence[str]) -> Iterator[Callable[[str], object]]:
    """One bar over all sections; call what it gives with the name of each, as it begins.

    A section that never ran here counts as one of the mean length of the others.
    """
    took = _read()
    known = [took[name] for name in sections if name in took] or [1.0]
    weights = {name: took.get(name, sum(known) / len(known)) for name in sections}
    whole = sum(weights.values())
    with overall_progress("benchmark") as show:
        done, running, started = 0.0, "", time.monotonic()

        def end() -> None:
            nonlocal done
            if running:
                took[running] = time.monotonic() - started
                done += weights[running]

        def begin(name: str) -> None:
            nonlocal running, started
            end()
            running, started = name, time.monotonic()
            show(done / whole, name)

        _listeners.append(lambda share: show((done + share * weights[running]) / whole, running))
        try:
            yield begin
            end()
            show(1.0, "done")
        finally:
            _listeners.clear()
    _KEPT.parent.mkdir(parents=True, exist_ok=True)
    write_whole(_KEPT, json.dumps(took))


def _read() -> dict[str, float]:
    try:
        return {name: float(seconds) for name, seconds in json.loads(_KEPT.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
