"""Time several things alternately."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks._progress import report


def alternate(
    functions: dict[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of one call of each function, in turns, after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(rounds + 1):
        report(turn / (rounds + 1))
        for name, function in functions.items():
            started = clock()
            function()
            if turn:
                times[name].append(clock() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def table(seconds: dict[str, float], base: str) -> list[str]:
    """One line a function: milliseconds, and the ratio to the base."""
    return [
        f"{name:<42} {1e3 * value:>10.3f} ms   {value / seconds[base]:>9.3f} x"
        for name, value in seconds.items()
    ]
