"""Why a request is refused: one form for REST and gRPC."""

from __future__ import annotations

from collections.abc import Mapping

from mixcon.errors import ContractError, WireError
from mixcon.serving.batching import Busy

__all__ = ["CLIENT_LEFT", "ClientLeft", "Refusal", "refusal_of"]

_RETRY_SECONDS = 1
CLIENT_LEFT = 499
"""The status, as the metrics and the log call it, of a request whose client went away."""


class Refusal(Exception):  # noqa: N818  the client's mistake, or the time's; not ours
    """A request that is not answered.

    Args:
        status: of HTTP.
        reason: in words, for the client.
        headers: of HTTP.
    """

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.headers = status, reason, dict(headers or {})


class ClientLeft(Exception):  # noqa: N818  no error
    """The client went away before its request was complete."""


def refusal_of(error: Exception) -> Refusal | None:
    """What a client is told of an error; None if it is a mistake of ours."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, WireError):
        return Refusal(400, str(error))
    if isinstance(error, ContractError):
        return Refusal(503, str(error))
    if isinstance(error, Busy | TimeoutError):
        return Refusal(
            503,
            "the server has as much to do as it takes on; try again later",
            {"Retry-After": str(_RETRY_SECONDS)},
        )
    if isinstance(error, ClientLeft):  # heard by nobody but metrics and log
        return Refusal(CLIENT_LEFT, "the client went away")
    return None
