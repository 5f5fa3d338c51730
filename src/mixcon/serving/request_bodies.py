"""Request bodies, read within limits of size, time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mixcon.serving.batching import Busy

__all__ = ["BodyReader"]


class BodyReader:
    """Reads bodies; all that are in work at one time share a budget.

    Args:
        limit: bytes of one body at most.
        budget: bytes of all bodies in work at most; at least `limit`.
        timeout: seconds until the last byte must have come.
    """

    def __init__(self, limit: int, budget: int, timeout: float) -> None:
        self.limit, self._timeout = limit, timeout
        self._left = max(budget, limit)

    @contextmanager
    def reserved(self, request: Request) -> Iterator[None]:
        """Memory for a request's body, set aside before a byte of it is read.

        Raises:
            HTTPException: 413, the body would be too large.
            Busy: the budget is used up.
        """
        declared = request.headers.get("content-length")
        size = self.limit if declared is None else int(declared)  # HTTP lets only digits through
        if size > self.limit:
            raise self._too_large()
        if size > self._left:
            raise Busy
        self._left -= size
        try:
            yield
        finally:
            self._left += size

    async def read(self, request: Request) -> bytes:
        """The body.

        Raises:
            HTTPException: 408, it did not come in time; 413, it is too large.
            ClientDisconnect: the client went away.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                async for chunk in request.stream():
                    if len(body) + len(chunk) > self.limit:
                        raise self._too_large()
                    body += chunk
        except TimeoutError as error:
            raise HTTPException(
                408, f"expected the whole body within {self._timeout:g} seconds"
            ) from error
        return bytes(body)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"expected a body of at most {self.limit} bytes")
