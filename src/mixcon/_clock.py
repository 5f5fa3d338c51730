"""How long work may take: a loop that gets better step by step stops between two of them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["TimeLimit", "each_step", "time_limit", "time_share"]


class TimeLimit:
    """When the work inside ends, in seconds of the monotonic clock.

    Attributes:
        ends: no step begins after it, but for the first of a loop.
        cut: whether a loop was stopped before its last step.
    """

    def __init__(self, ends: float) -> None:
        self.ends, self.cut = ends, False


_limits: ContextVar[tuple[TimeLimit, ...]] = ContextVar("limits", default=())


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Loops over `each_step` inside end after so many seconds; limits nest, the soonest counts."""
    limit = TimeLimit(time.monotonic() + seconds)
    token = _limits.set((*_limits.get(), limit))
    try:
        yield limit
    finally:
        _limits.reset(token)


@contextmanager
def time_share(share: float) -> Iterator[None]:
    """The same for that share of the time that is left; nothing where there is no limit."""
    left = min((limit.ends for limit in _limits.get()), default=math.inf) - time.monotonic()
    if math.isinf(left):
        yield
        return
    with time_limit(share * max(left, 0.0)):
        yield


def each_step(count: int, on_step: Callable[[float], None] = lambda _: None) -> Iterator[int]:
    """The steps from 1 to `count`, fewer where time runs out, at least one.

    The clock is read between steps only, so that what a step does never depends on it.

    Args:
        count: of steps, at least 1.
        on_step: told the share that is done after each step.
    """
    for step in range(1, count + 1):
        yield step
        on_step(step / count)
        if step < count and time.monotonic() >= min((x.ends for x in _limits.get()), default=1e99):
            for limit in _limits.get():
                limit.cut = True
            return
