"""The server's log: one JSON object a line; nothing in it is a number of z, or a token."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mixcon.serving.text import printable

__all__ = ["ServerLog"]

_ENCODER = json.JSONEncoder(separators=(",", ":"))  # of ASCII, wherever it goes; made once


class ServerLog:
    """Says what happened, to whoever collects lines.

    Args:
        write: takes one line, its end included; without, mistakes of ours alone are said, on
            standard error.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write

    @property
    def is_kept(self) -> bool:
        """Whether anybody reads what is said of requests."""
        return self._write is not None

    def request(self, **fields: Any) -> None:
        """One request and what came of it."""
        self._add(self._write, "request", fields)

    def refused(self, peer: str, reason: str) -> None:
        """A connection that was turned away or ended before its request was complete."""
        self._add(self._write, "refused", {"peer": peer, "reason": reason})

    def failed(self, error: BaseException, **fields: Any) -> None:
        """A mistake of ours. Its message is left out, as that may quote what was sent."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        self._add(
            self._write or sys.stderr.write,
            "failed",
            {**fields, "error": type(error).__name__, "trace": places},
        )

    @staticmethod
    def _add(write: Callable[[str], object] | None, event: str, fields: dict[str, Any]) -> None:
        if write is None:
            return
        cleaned = {k: printable(v) if isinstance(v, str) else v for k, v in fields.items()}
        record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event}
        write(_ENCODER.encode(record | cleaned) + "\n")
