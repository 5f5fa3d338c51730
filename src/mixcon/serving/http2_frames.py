"""The frames of HTTP/2, as far as one can tell which requests are complete and which are answered.

What is in them is the business of gRPC; here, only headers of frames are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["DATA", "HEADERS", "PREFACE", "RESET", "FrameReader", "Piece"]

DATA, HEADERS, RESET = 0, 1, 3
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first."""

_END_STREAM = 1
_HEADER = 9  # bytes


@dataclass(frozen=True)
class Piece:
    """What came of a frame.

    Attributes:
        kind: of the frame.
        stream: which request it belongs to; 0 for none.
        size: bytes of its content that came now.
        ends_stream: this is the last that its side says on this stream, and it is complete.
    """

    kind: int
    stream: int
    size: int
    ends_stream: bool


class FrameReader:
    """Follows one direction of a connection.

    Args:
        skip: bytes before the first frame.
    """

    def __init__(self, skip: int = 0) -> None:
        self._left, self._head = skip, b""
        self._kind, self._flags, self._stream = -1, 0, 0

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces of frames in what came next; they may be cut anywhere."""
        at = 0
        while at < len(data):
            if not self._left:
                part = data[at : at + _HEADER - len(self._head)]
                self._head, at = self._head + part, at + len(part)
                if len(self._head) < _HEADER:
                    return
                self._begin()
            size = min(self._left, len(data) - at)
            self._left, at = self._left - size, at + size
            if self._kind in (DATA, HEADERS, RESET):
                ends = not self._left and self._kind != RESET and self._flags & _END_STREAM
                yield Piece(self._kind, self._stream, size, bool(ends))

    def _begin(self) -> None:
        head, self._head = self._head, b""
        self._left = int.from_bytes(head[:3], "big")
        self._kind, self._flags = head[3], head[4]
        self._stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
