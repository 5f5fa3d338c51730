"""What a drawing has to look like to be one of the data: where it lies, how thick its lines are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["drawing_style"]

_INK = 0.3  # what is brighter than this is a line


def drawing_style(images: Tensor) -> dict[str, float]:
    """Average place and width of the lines in gray images with bright lines on a dark ground.

    A page draws a user's strokes likewise, as a camera's software would crop and scale.

    Args:
        images: (N, 1 or 3, H, W) in [0, 1].

    Returns:
        ``height``, ``width``: sides of the box around the lines, as shares of the image's;
        ``x``, ``y``: its middle, likewise; ``line``: thickness of a line as a share of the height;
        ``ground``: mean of the outermost pixels.
    """
    gray = images.mean(1)
    ink, edges = gray > _INK, (gray[:, 0], gray[:, -1], gray[:, :, 0], gray[:, :, -1])
    ground = torch.cat(edges, 1).mean().item()
    boxes = [_box(one) for one in ink if one.any()]
    if not boxes:
        return {"height": 0.8, "width": 0.8, "x": 0.5, "y": 0.5, "line": 0.1,
                "ground": ground}  # fmt: skip
    top, bottom, left, right = (sum(side) / len(boxes) for side in zip(*boxes, strict=True))
    rows, columns = ink.shape[1:]
    # A line of width w and length l covers w * l pixels and has borders of about 2 * l; counted
    # between pixels, a slanted border is longer by 4 / pi on average.
    borders = (ink[:, 1:] ^ ink[:, :-1]).sum() + (ink[:, :, 1:] ^ ink[:, :, :-1]).sum()
    line = 2 * ink.sum().item() / max(1.0, borders.item() * math.pi / 4)
    return {
        "height": (bottom - top) / rows,
        "width": (right - left) / columns,
        "x": (left + right) / 2 / columns,
        "y": (top + bottom) / 2 / rows,
        "line": line / rows,
        "ground": ground,
    }


def _box(ink: Tensor) -> tuple[int, int, int, int]:
    rows, columns = ink.any(1).nonzero().flatten(), ink.any(0).nonzero().flatten()
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
