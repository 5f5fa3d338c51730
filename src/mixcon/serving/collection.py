"""Garbage is collected when that holds up nobody.

A full collection looks at every object, and nobody is answered meanwhile. Python's own come often
while connections grow in number, and look at all that was imported as well: that took seconds.
Those of young objects took 10 ms; they come more often here, and each looks at few.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

__all__ = ["Collection"]

_YOUNG = 300  # new objects before a collection of them
_MIDDLE = 1  # such collections before one of what they left
_NEVER = 1_000_000  # of those before a full one
_EVERY = 60.0  # seconds between looks
_FEW = 500  # connections, with which a full collection takes no time to speak of
_AT_LEAST = 5  # looks, after which it is done in any case: closed TLS connections leave cycles


class Collection:
    """Replaces the automatic collections of this process.

    Args:
        connections: how many are open.
    """

    def __init__(self, connections: Callable[[], int]) -> None:
        self._connections = connections
        self._skipped = 0
        self._before = gc.get_threshold()
        self._frozen = 0

    def start(self) -> None:
        """Begin, in the running event loop; what is there by now is never looked at again."""
        gc.collect()
        self._frozen = gc.get_freeze_count()
        gc.freeze()
        gc.set_threshold(_YOUNG, _MIDDLE, _NEVER)
        self._wait()

    def stop(self) -> None:
        """Leave the process as it was; the loop has ended."""
        if not self._frozen:  # else some of it is somebody else's, who wants it so
            gc.unfreeze()
        gc.set_threshold(*self._before)

    def _wait(self) -> None:
        asyncio.get_running_loop().call_later(_EVERY, self._look)

    def _look(self) -> None:
        self._skipped += 1
        if self._connections() <= _FEW or self._skipped >= _AT_LEAST:
            gc.collect()
            self._skipped = 0
        self._wait()
