"""Request bodies, read within limits of size, time and memory."""

from __future__ import annotations

from mixcon.serving.asgi import Receive
from mixcon.serving.batching import Busy
from mixcon.serving.budget import Budget
from mixcon.serving.content_coding import Decoder
from mixcon.serving.eager import within
from mixcon.serving.exchange import Exchange
from mixcon.serving.refusal import ClientLeft, Refusal

__all__ = ["BodyReader", "Charge"]


class Charge:
    """What one request has taken of a budget; free again when it is left.

    Args:
        budget: bytes of all bodies in work. They are charged as they come: what is announced and
            never sent costs nobody anything.
        peer: who takes it.

    Attributes:
        taken: bytes so far.
    """

    def __init__(self, budget: Budget, peer: str) -> None:
        self._budget, self._peer, self.taken = budget, peer, 0

    def add(self, amount: int) -> None:
        """Take so much more.

        Raises:
            Busy: the budget is used up, or the peer's part of it.
        """
        if self._budget.is_used_up(amount) or self._budget.is_used_up_by(self._peer, amount):
            raise Busy
        self._budget.take(self._peer, amount)
        self.taken += amount

    def give_back(self) -> None:
        """All of it."""
        self._budget.give_back(self._peer, self.taken)
        self.taken = 0

    def __enter__(self) -> Charge:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


class BodyReader:
    """Reads bodies; all that are in work at one time share a budget.

    Args:
        budget: bytes of all bodies in work.
        timeout: seconds until the last byte must have come.
    """

    def __init__(self, budget: Budget, timeout: float) -> None:
        self.budget, self._timeout = budget, timeout

    def charge(self, exchange: Exchange) -> Charge:
        """For what a request is going to take."""
        return Charge(self.budget, exchange.peer)

    async def read(
        self, receive: Receive, headers: dict[bytes, bytes], limit: int, exchange: Exchange,
        charge: Charge,
    ) -> bytes:  # fmt: skip
        """The body of a request, decoded.

        Args:
            receive: of ASGI.
            headers: the request's, with names in lower case.
            limit: bytes at most, decoded.
            exchange: told how many bytes came.
            charge: pays for them.

        Raises:
            Refusal: 408, it did not come in time; 413, it is too large; 415, it is coded in a way
                that is not known; 400, it is not coded as it says.
            Busy: the budget is used up, or the peer's part of it.
            ClientLeft: the client went away.
        """
        if int(headers.get(b"content-length", b"0")) > limit:
            raise _too_large(limit)
        decoder = Decoder(headers.get(b"content-encoding", b"").decode("latin1"))
        try:
            body = await within(self._timeout, _received(receive, decoder, limit, exchange, charge))
        except TimeoutError as error:
            reason = f"expected the whole body within {self._timeout:g} seconds"
            raise Refusal(408, reason) from error
        decoder.check_end()
        return body


async def _received(
    receive: Receive, decoder: Decoder, limit: int, exchange: Exchange, charge: Charge
) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientLeft
        chunk, more = message.get("body", b""), message.get("more_body", False)
        exchange.received += len(chunk)
        if exchange.received > limit:  # codings can say nothing at any length
            raise _too_large(limit)
        for part in decoder.parts(chunk):
            charge.add(len(part))
            parts.append(part)
            if charge.taken > limit:
                raise _too_large(limit)
    return b"".join(parts)


def _too_large(limit: int) -> Refusal:
    return Refusal(413, f"expected a body of at most {limit} bytes")
