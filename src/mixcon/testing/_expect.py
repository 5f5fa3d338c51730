"""What a contract says when it is not kept."""

from __future__ import annotations

__all__ = ["expect"]


def expect(holds: bool, what: str) -> None:
    """Raise AssertionError with `what`, which says what was expected, unless it holds."""
    if not holds:
        raise AssertionError(what)
