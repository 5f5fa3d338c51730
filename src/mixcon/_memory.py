"""How many samples to work on at once, so that large ones do not fill the memory."""

from __future__ import annotations

from math import prod

__all__ = ["at_once"]


def at_once(count: int, *shapes: tuple[int, ...], numbers: int = 2**22) -> int:
    """`count` samples, or as many as have so many numbers together; at least 1.

    What a network makes of an image grows with its pixels, so one of fewer than three channels
    counts as one of three.

    Args:
        count: how many small samples would be taken.
        shapes: of what one sample is and becomes; the largest counts.
        numbers: in all samples; 16 MiB of float32, so that a network's layers stay below 2 GiB.
    """
    largest = max(max(prod(shape), 3 * prod(shape[-2:]) * (len(shape) == 3)) for shape in shapes)
    return max(1, min(count, numbers // max(largest, 1)))
