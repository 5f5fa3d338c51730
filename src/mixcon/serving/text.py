"""Text from elsewhere, made fit for a terminal and a log."""

from __future__ import annotations

__all__ = ["printable"]

_MOST = 300  # letters


def printable(text: str, most: int = _MOST) -> str:
    """The beginning of a text, with a ``?`` for each letter that is not to be seen.

    Those are control characters, which a terminal obeys, and others that hide or turn text.
    """
    cut = text if len(text) <= most else f"{text[:most]}..."
    return "".join(letter if letter.isprintable() else "?" for letter in cut)
