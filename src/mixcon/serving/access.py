"""Every request has an id, and a line in the log: who asked what, and what came of it."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mixcon.serving.server_log import ServerLog

__all__ = ["Logged"]

_HEADER = b"x-request-id"
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Logged:
    """Wraps an application.

    The id is what ``X-Request-Id`` of the request says, or a new one; the answer carries it.

    Args:
        app: what answers.
        log: told of every request.
    """

    def __init__(self, app: ASGIApp, log: ServerLog) -> None:
        self._app, self._log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(_id(scope), receive, send)
        started = time.perf_counter()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            self._log.failed(error, id=exchange.id)
            if not exchange.status:
                raise
        finally:
            seconds = round(time.perf_counter() - started, 6)
            self._log.request(**exchange.facts, **_who(scope), seconds=seconds)


@dataclass
class _Exchange:
    id: str
    _receive: Receive
    _send: Send
    status: int = 0
    received: int = field(default=0)

    @property
    def facts(self) -> dict[str, Any]:
        return {"id": self.id, "status": self.status, "received": self.received}

    async def receive(self) -> Message:
        message = await self._receive()
        self.received += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message["headers"], (_HEADER, self.id.encode())]}
        await self._send(message)


def _id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == _HEADER), b"")
    return given.decode() if _ID.fullmatch(given) else uuid.uuid4().hex[:16]


def _who(scope: Scope) -> dict[str, Any]:
    client = scope.get("client")
    peer = client[0] if client else ""
    return {"peer": peer, "method": scope["method"], "path": scope["path"]}
