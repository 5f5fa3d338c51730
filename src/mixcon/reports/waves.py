"""Wave forms: sequences as small SVG pictures, the original behind what was made of it."""

from __future__ import annotations

from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.kinds import Kind

__all__ = ["wave_form"]

_WIDTH, _LANE = 160, 56
_POINTS = 320  # a line has so many at most
_LANES = 4  # channels drawn at most, the first ones
_BEHIND, _FRONT = "#9a9a9a", "#c8553d"


def wave_form(sequence: Tensor, original: Tensor | None = None) -> str:
    """A sequence as SVG: a lane for each of the first four channels, on a scale that all share.

    Args:
        sequence: (C, T), finite.
        original: the same shape: drawn in gray behind it, and what sets the scale. A sequence
            without one is gray itself.

    Raises:
        ConfigError: another shape.
    """
    shapes = {sequence.shape} | ({original.shape} if original is not None else set())
    if len(shapes) != 1 or not Kind.SEQUENCE.fits(sequence.shape):
        raise ConfigError(f"expected sequences (C, T) of one shape, but got {shapes}")
    layers = [(sequence, _BEHIND)]
    if original is not None:
        layers = [(original, _BEHIND), (sequence, _FRONT)]
    largest = layers[0][0][:_LANES].abs().max().item() or 1.0
    lanes = min(len(sequence), _LANES)
    lines = "".join(
        _line(layer[lane] / largest, lane, color)
        for lane in range(lanes)
        for layer, color in layers
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {lanes * _LANE}" '
        f'width="{_WIDTH}" height="{lanes * _LANE}">{lines}</svg>'
    )


def _line(values: Tensor, lane: int, color: str) -> str:
    """One channel, thinned where it has more samples than points; cut off beyond its lane."""
    thinned = values[:: -(-len(values) // _POINTS)].detach().cpu().clamp(-1.15, 1.15)
    step = _WIDTH / max(len(thinned) - 1, 1)
    middle, reach = (lane + 0.5) * _LANE, _LANE / 2.4
    points = " ".join(
        f"{i * step:.1f},{middle - reach * value:.1f}" for i, value in enumerate(thinned.tolist())
    )
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1"/>'
