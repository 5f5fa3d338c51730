"""What a reader of data says beside the data: never an error, never silence."""

from __future__ import annotations

import logging
from functools import cache

__all__ = ["note"]

_logger = logging.getLogger("mixcon.data")


@cache  # whoever loads the same data twice need not be told twice
def note(message: str) -> None:
    """Say it, once a process, as a warning of the logger ``mixcon.data``: on standard error."""
    _logger.warning("note: %s", message)
