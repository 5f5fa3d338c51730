"""Networks from representations back to inputs, sized to both."""

from __future__ import annotations

from math import prod
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.kinds import Kind

__all__ = ["doubled_sizes", "into", "inverse_network"]

_COARSEST = 8  # pixels of the side from which images are built up
_WEIGHTS = 2**26  # of one layer, at most
_MIXED = 2048  # up to so many numbers, every one of them may speak of every pixel


def inverse_network(z: tuple[int, ...], x: tuple[int, ...]) -> nn.Sequential:
    """An untrained network from representations back to inputs, unbounded.

    Images grow from a coarse map by doubling. Small or flat representations reach that map through
    a linear layer; large ones with a height and a width keep their layout, and enter at their
    own resolution. Vectors and sequences come from two fully-connected layers.

    Args:
        z: shape of one representation, standardized.
        x: shape of one input, of any kind.
    """
    if Kind.of(x) is Kind.IMAGE:
        return _to_images(z, x)
    flat = _to_vectors(prod(z), prod(x))
    return flat if Kind.of(x) is Kind.VECTOR else flat.append(nn.Unflatten(1, x))


def _to_vectors(numbers: int, wanted: int, width: int = 512) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(numbers, width), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()),
        nn.Linear(width, wanted),
    )


def _to_images(z: tuple[int, ...], x: tuple[int, ...]) -> nn.Sequential:
    sizes = doubled_sizes(x[1], x[2])
    if len(z) == 3 and prod(z) > _MIXED:
        sizes = [size for size in sizes if size[0] >= z[1] and size[1] >= z[2]] or sizes[-1:]
        channels = _channels(sizes[0])
        layers: list[nn.Module] = [Resize(sizes[0]), nn.Conv2d(z[0], channels, 3, padding=1)]
    else:
        channels = _channels(sizes[0])
        shape = (channels, *sizes[0])
        layers = [nn.Flatten(), *_linear(prod(z), prod(shape)), nn.Unflatten(1, shape)]
    for size in sizes[1:-1]:
        layers += [nn.BatchNorm2d(channels), nn.ReLU(), Enlarge(channels, _channels(size), size)]
        channels = _channels(size)
    layers += [nn.BatchNorm2d(channels), nn.ReLU()]
    if len(sizes) == 1:
        return nn.Sequential(*layers, nn.Conv2d(channels, x[0], 3, padding=1))
    return nn.Sequential(*layers, Enlarge(channels, x[0], sizes[-1]))


def _linear(numbers: int, wanted: int) -> list[nn.Module]:
    """One layer, or two through a narrow one where it would have too many weights."""
    if numbers * wanted <= _WEIGHTS:
        return [nn.Linear(numbers, wanted)]
    narrow = max(1, _WEIGHTS // (numbers + wanted))
    return [nn.Linear(numbers, narrow), nn.Linear(narrow, wanted)]


def _channels(size: tuple[int, int]) -> int:
    return 64 if max(size) <= _COARSEST else 32


def doubled_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes that double up to this one, from the first that is coarse enough."""
    sizes = [(height, width)]
    while max(sizes[0]) > _COARSEST:
        sizes.insert(0, (-(-sizes[0][0] // 2), -(-sizes[0][1] // 2)))
    return sizes


class Enlarge(nn.Module):
    """Twice the height and width, cropped to a size: a 3 x 3 convolution, rearranged.

    Source: Shi et al., CVPR 2016 (sub-pixel convolution): no checkerboards, and no work at the
    finer resolution.
    """

    def __init__(self, channels: int, wanted: int, size: tuple[int, int]) -> None:
        super().__init__()
        convolution = nn.Conv2d(channels, 4 * wanted, 3, padding=1)
        self.grow = nn.Sequential(convolution, nn.PixelShuffle(2))
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        height, width = self.size
        enlarged = cast(Tensor, self.grow(x))
        return enlarged[..., :height, :width]


class Resize(nn.Module):
    """Bilinear interpolation to a height and width."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, self.size, mode="bilinear", antialias=True)


def into(box: tuple[float, float] | None, unbounded: Tensor) -> Tensor:
    """Numbers inside the box, by a sigmoid; as they are without one."""
    if not box:
        return unbounded
    return box[0] + (box[1] - box[0]) * unbounded.sigmoid()
