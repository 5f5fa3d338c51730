"""What a drawing has to look like to be one of the data: where it lies, how its lines look."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["drawing_style"]

_HALF, _LOW, _HIGH = 0.5, 0.1, 0.9  # brightness of a line's border, and from where to where it goes
_RISE = 2.56  # standard deviations in which a blurred border rises from low to high


def drawing_style(images: Tensor) -> dict[str, float]:
    """Average place, width and softness of the lines in images, bright lines on a dark ground.

    A page draws a user's strokes likewise, as a camera's software would crop and scale.

    Args:
        images: (N, 1 or 3, H, W) in [0, 1].

    Returns:
        As shares of the image's height or width: ``height``, ``width`` of the box around the
        lines, its middle ``x``, ``y``, ``line``: thickness of a line, ``blur``: standard
        deviation of what softens its border. And ``ground``: mean of the outermost pixels.
    """
    gray = images.mean(1)
    ink, (rows, columns) = gray > _HALF, gray.shape[1:]
    edges = (gray[:, 0], gray[:, -1], gray[:, :, 0], gray[:, :, -1])
    ground = torch.cat(edges, 1).mean().item()
    boxes = [_box(one) for one in ink if one.any()] or [(0, rows, 0, columns)]
    top, bottom, left, right = (sum(side) / len(boxes) for side in zip(*boxes, strict=True))
    # A line of width w and length l covers w * l pixels and has borders of about 2 * l; counted
    # between pixels, a slanted border is longer by 4 / pi on average.
    crossings = (ink[:, 1:] ^ ink[:, :-1]).sum() + (ink[:, :, 1:] ^ ink[:, :, :-1]).sum()
    border = max(1.0, crossings.item() * math.pi / 4)
    soft = ((gray > _LOW) & (gray < _HIGH)).sum().item() / border
    return {
        "height": (bottom - top) / rows,
        "width": (right - left) / columns,
        "x": (left + right) / 2 / columns,
        "y": (top + bottom) / 2 / rows,
        "line": 2 * ink.sum().item() / border / rows,
        "blur": soft / _RISE / rows,
        "ground": ground,
    }


def _box(ink: Tensor) -> tuple[int, int, int, int]:
    rows, columns = ink.any(1).nonzero().flatten(), ink.any(0).nonzero().flatten()
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
