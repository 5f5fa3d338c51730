"""JSON without spaces, in one way for all that is sent."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["compact_json"]

_ENCODER = json.JSONEncoder(separators=(",", ":"))  # made once: it costs as much as a small answer


def compact_json(content: Any) -> bytes:
    """The content in UTF-8; letters beyond ASCII are escaped."""
    return _ENCODER.encode(content).encode()
