"""What a cloud may do unseen: keep a copy of every representation that it is sent."""

from __future__ import annotations

from collections import OrderedDict

import torch
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from torch import Tensor

from mixcon.errors import WireError
from mixcon.serving.contract import Contract
from mixcon.serving.messages import JSON_LENGTH, json_length
from mixcon.serving.requests import parse_request

__all__ = ["WireTap"]

_KEPT = 256


class WireTap:
    """Passes requests on to a service, unchanged, and keeps the last representations in them.

    Args:
        service: answers.
        contract: says what representations look like.
    """

    def __init__(self, service: ASGIApp, contract: Contract) -> None:
        self._service, self._contract = service, contract
        self._seen: OrderedDict[str, Tensor] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._service(scope, receive, send)
            return
        parts: list[bytes] = []

        async def heard() -> Message:
            message = await receive()
            parts.append(message.get("body", b""))
            if message["type"] == "http.request" and not message.get("more_body"):
                self._note(scope, b"".join(parts))
            return message

        await self._service(scope, heard, send)

    def seen(self, id: str) -> Tensor | None:
        """The representation, (1, ...), in the request of this id; None if it is not known."""
        return self._seen.get(id)

    def _note(self, scope: Scope, body: bytes) -> None:
        try:
            length = json_length(Headers(scope=scope).get(JSON_LENGTH))
            request = parse_request(body, length, self._contract, max_rows=1)
        except WireError:  # the service says so; there is nothing to keep
            return
        if request.id:
            self._seen[request.id] = torch.from_numpy(request.z.copy())
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)
