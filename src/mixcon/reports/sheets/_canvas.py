"""The canvas that the paper's figures are drawn on: Matplotlib, without a window or a browser."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mixcon.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["canvas", "rendered"]


def canvas(width: float, height: float) -> Figure:
    """An empty figure of this size in inches.

    Raises:
        ConfigError: Matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  an extra, and slow to import
    except ImportError as error:
        raise ConfigError(
            "expected Matplotlib to draw the paper's figures, but it is not installed; "
            "run: pip install 'mixcon[paper]'"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def rendered(figure: Figure, kind: str) -> bytes:
    """The figure as ``svg`` or ``png``; the same figure gives the same bytes."""
    from matplotlib import rc_context  # noqa: PLC0415

    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "mixcon"}):
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=150)
    return buffer.getvalue()
