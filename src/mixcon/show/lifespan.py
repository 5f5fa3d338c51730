"""Applications of ASGI inside another one, which has to start and stop them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Message

__all__ = ["running"]


@asynccontextmanager
async def running(app: ASGIApp) -> AsyncIterator[None]:
    """Start an application by the lifespan of ASGI, and stop it in the end.

    Raises:
        Exception: what it raises when it starts.
    """
    told, says = asyncio.Queue[Message](), asyncio.Queue[Message]()
    task = asyncio.ensure_future(app({"type": "lifespan"}, told.get, says.put))
    task.add_done_callback(lambda _: says.put_nowait({"type": "ended"}))  # for whoever waits
    await told.put({"type": "lifespan.startup"})
    if (await says.get())["type"] == "ended":
        await task
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await task
