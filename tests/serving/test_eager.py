"""Coroutines that begin at once."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

from mixcon.serving.eager import begin, within

_WORD = ContextVar("word", default="outside")


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    return functools.wraps(test)(lambda *args, **named: asyncio.run(test(*args, **named)))


async def _ends(seen: list[str]) -> None:
    seen.append("ended")


async def _waits(seen: list[str], event: asyncio.Event) -> None:
    token = _WORD.set("inside")
    try:
        await event.wait()
        seen.append(_WORD.get())
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise
    finally:
        _WORD.reset(token)  # of another context, this would be an error


@in_a_loop
async def test_what_does_not_wait_has_ended_and_needs_no_task() -> None:
    seen: list[str] = []
    assert begin(_ends(seen), asyncio.get_running_loop()) is None
    assert seen == ["ended"]


@in_a_loop
async def test_what_waits_goes_on_as_a_task_in_its_own_context() -> None:
    seen: list[str] = []
    event = asyncio.Event()
    task = begin(_waits(seen, event), asyncio.get_running_loop())
    assert task is not None
    assert not seen
    event.set()
    await task
    assert seen == ["inside"]
    assert _WORD.get() == "outside"


@in_a_loop
async def test_a_task_that_waits_is_cancelled_as_any_other() -> None:
    seen: list[str] = []
    task = begin(_waits(seen, asyncio.Event()), asyncio.get_running_loop())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cancelled"]


@in_a_loop
async def test_an_error_before_and_after_waiting_reaches_who_asked() -> None:
    async def fails(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ValueError("of the coroutine")

    loop = asyncio.get_running_loop()
    with pytest.raises(ValueError, match="of the coroutine"):
        begin(fails(False), loop)
    task = begin(fails(True), loop)
    assert task is not None
    with pytest.raises(ValueError, match="of the coroutine"):
        await task


@in_a_loop
async def test_a_limit_of_time_holds_within_a_task_and_within_what_began_without_one() -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    outcomes: list[str] = []

    async def asks(seconds: float) -> None:
        try:
            outcomes.append(await within(seconds, _of(answer)))
        except TimeoutError:
            outcomes.append("late")

    async def _of(future: asyncio.Future[str]) -> str:
        return await asyncio.shield(future)

    await asks(0.01)
    task = begin(asks(0.01), asyncio.get_running_loop())
    assert task is not None
    await task
    assert outcomes == ["late", "late"]
    waiting = begin(asks(60), asyncio.get_running_loop())
    assert waiting is not None
    answer.set_result("there")
    await waiting
    assert outcomes[2] == "there"


@in_a_loop
async def test_no_time_is_taken_of_what_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: float) -> None:
        raise AssertionError

    async def answer() -> int:
        return 3

    monkeypatch.setattr(asyncio, "timeout", refuse)
    assert await within(1, answer()) == 3
