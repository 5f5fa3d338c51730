"""What ASGI servers and applications say to each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mixcon.serving.compact_json import compact_json

__all__ = ["Message", "Receive", "Reply", "Scope", "Send", "json_reply"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """An answer of HTTP.

    Attributes:
        status: of HTTP.
        content: its body.
        media: what that is.
        headers: further ones, names in lower case.
    """

    status: int
    content: bytes
    media: bytes = b"application/json"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def send(self, send: Send, *headers: tuple[bytes, bytes]) -> None:
        """Send it, with these headers as well."""
        fields = [
            (b"content-length", str(len(self.content)).encode()),
            (b"content-type", self.media),
            *self.headers,
            *headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": fields})
        await send({"type": "http.response.body", "body": self.content})


def json_reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    fields = [(k.lower().encode(), v.encode("latin1")) for k, v in (headers or {}).items()]
    return Reply(status, compact_json(content), headers=fields)
