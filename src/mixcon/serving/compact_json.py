"""JSON without spaces, in one way for all that is sent."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

__all__ = ["compact_json"]


def compact_json(content: Any) -> bytes:
    """The content in UTF-8."""
    return to_json(content)
