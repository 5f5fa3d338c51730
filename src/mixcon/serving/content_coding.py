"""Request bodies that were compressed for the way: gzip and deflate."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from mixcon.serving.refusal import Refusal

__all__ = ["Decoder"]

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # what zlib calls these forms
_PLAIN = ("", "identity")
_KNOWN = {*_WINDOWS, *_PLAIN}
_STEP = 65_536  # bytes to decode at a time: a bomb shows before it goes off


class Decoder:
    """Decodes a body piece by piece.

    Args:
        coding: what the Content-Encoding header says.

    Raises:
        Refusal: 415, no coding that is known.
    """

    def __init__(self, coding: str) -> None:
        name = coding.strip().lower()
        if name not in _KNOWN:
            raise Refusal(
                415,
                "expected a body as it is, or coded as gzip or deflate, once",
                {"Accept-Encoding": "gzip, deflate"},
            )
        self._zlib = None if name in _PLAIN else zlib.decompressobj(_WINDOWS[name])

    def parts(self, chunk: bytes) -> Iterable[bytes]:
        """What a chunk of the body means, in pieces that are small whatever it decodes to.

        Raises:
            Refusal: 400, it is not coded as it says.
        """
        return (chunk,) if self._zlib is None else self._decoded(chunk, self._zlib)

    @staticmethod
    def _decoded(chunk: bytes, decoder: Any) -> Iterator[bytes]:
        try:
            while chunk:
                yield decoder.decompress(chunk, _STEP)
                chunk = decoder.unconsumed_tail
        except zlib.error as error:
            raise Refusal(400, "the body is not coded as it says") from error
        if decoder.unused_data:
            raise Refusal(400, "expected nothing behind the coded body")

    def check_end(self) -> None:
        """Refuse a body that was cut off.

        Raises:
            Refusal: 400, it was.
        """
        if self._zlib is not None and not self._zlib.eof:
            raise Refusal(400, "the coded body has no end")
