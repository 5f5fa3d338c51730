"""Coroutines that begin at once, and become a task only where they have to wait.

A task and its turns of the event loop cost as much as a small answer. asyncio has eager tasks from
Python 3.12 on.
"""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["begin", "within"]

T = TypeVar("T")


def begin(
    coroutine: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop
) -> asyncio.Task[None] | None:
    """Run a coroutine as far as it goes; its task if it has to wait, or None if it has ended."""
    context = contextvars.copy_context()
    try:
        waits_for = context.run(coroutine.send, None)
    except StopIteration:
        return None
    return loop.create_task(_task(coroutine, waits_for), context=context)


async def within(seconds: float, coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns; the time is taken only if it has to wait.

    Raises:
        TimeoutError: it did not end in time.
    """
    try:
        waits_for = coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    if asyncio.current_task() is None:  # within `begin`: time is taken of tasks alone
        await asyncio.sleep(0)
    async with asyncio.timeout(seconds):
        return await _rest(coroutine, waits_for)


async def _task(coroutine: Coroutine[Any, Any, T], waits_for: Any) -> T:
    return await _rest(coroutine, waits_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Of a coroutine that was begun, and now waits."""
    try:
        while True:
            try:
                got = yield waits_for
            except BaseException as error:  # a coroutine hears of all that its task hears of
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(got)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
