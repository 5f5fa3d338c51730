"""Request bodies, read within limits of size, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mixcon.serving.batching import Busy
from mixcon.serving.budget import Budget, peer_of
from mixcon.serving.content_coding import Decoder

__all__ = ["BodyReader"]


class BodyReader:
    """Reads bodies; all that are in work at one time share a budget.

    Args:
        limit: bytes of one body at most, decoded.
        budget: bytes of all bodies in work. They are charged as they come: what is announced and
            never sent costs nobody anything.
        timeout: seconds until the last byte must have come.
    """

    def __init__(self, limit: int, budget: Budget, timeout: float) -> None:
        self.limit, self._budget, self._timeout = limit, budget, timeout

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request, whose memory is free again afterwards.

        Raises:
            HTTPException: 408, it did not come in time; 413, it is too large; 415, it is coded in
                a way that is not known; 400, it is not coded as it says.
            Busy: the budget is used up, or the peer's part of it.
            ClientDisconnect: the client went away.
        """
        if int(request.headers.get("content-length", "0")) > self.limit:
            raise self._too_large()
        body, peer = bytearray(), peer_of(request.client.host if request.client else None)
        try:
            await self._read(request, body, peer)
            yield bytes(body)
        finally:
            self._budget.give_back(peer, len(body))

    async def _read(self, request: Request, body: bytearray, peer: str) -> None:
        decoder, came = Decoder(request.headers.get("content-encoding", "")), 0
        try:
            async with asyncio.timeout(self._timeout):
                async for chunk in request.stream():
                    came += len(chunk)
                    if came > self.limit:  # codings have ways to say nothing at any length
                        raise self._too_large()
                    for part in decoder.parts(chunk):
                        self._charge(peer, len(body), len(part))
                        body += part
        except TimeoutError as error:
            raise HTTPException(
                408, f"expected the whole body within {self._timeout:g} seconds"
            ) from error
        decoder.check_end()

    def _charge(self, peer: str, so_far: int, more: int) -> None:
        if so_far + more > self.limit:
            raise self._too_large()
        if self._budget.is_used_up(more) or self._budget.is_used_up_by(peer, more):
            raise Busy
        self._budget.take(peer, more)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"expected a body of at most {self.limit} bytes")
