"""The networks of the learned attacks, sized to the representation and to the input."""

from __future__ import annotations

from math import prod
from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["Residual", "inverse_network"]

_COARSEST = 8  # pixels of the side from which images are built up
_WIDE, _NARROW = 64, 32  # channels below full resolution, and at half of it and above
_MIXED = 2048  # up to so many numbers, every one of them may speak of every pixel


def inverse_network(z: tuple[int, ...], x: tuple[int, ...]) -> nn.Sequential:
    """An untrained network from representations back to inputs, unbounded.

    Images grow from a coarse map by doubling. Small or flat representations reach that map through
    a linear layer; large ones with a height and a width keep their layout, and enter at their
    own resolution. Vectors come from two fully-connected layers.

    Args:
        z: shape of one representation, standardized.
        x: shape of one input: (C, H, W) or (d,).
    """
    return _to_vectors(prod(z), prod(x)) if len(x) == 1 else _to_images(z, x)


def _to_vectors(numbers: int, wanted: int, width: int = 512) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        *(nn.Linear(numbers, width), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()),
        nn.Linear(width, wanted),
    )


def _to_images(z: tuple[int, ...], x: tuple[int, ...]) -> nn.Sequential:
    sizes = _sizes(x[1], x[2])
    if len(z) == 3 and prod(z) > _MIXED:
        sizes = [size for size in sizes if size[0] >= z[1] and size[1] >= z[2]] or sizes[-1:]
        stem: list[nn.Module] = [Resize(sizes[0]), nn.Conv2d(z[0], _WIDE, 3, padding=1)]
    else:
        shape = (_WIDE, *sizes[0])
        stem = [nn.Flatten(), nn.Linear(prod(z), prod(shape)), nn.Unflatten(1, shape)]
    layers = [*stem, Residual(_WIDE), nn.BatchNorm2d(_WIDE), nn.ReLU()]
    channels = _WIDE
    for size in sizes[1:-1]:
        layers += [Enlarge(channels, _NARROW, size), nn.BatchNorm2d(_NARROW), nn.ReLU()]
        layers += [nn.Conv2d(_NARROW, _NARROW, 3, padding=1), nn.BatchNorm2d(_NARROW), nn.ReLU()]
        channels = _NARROW
    if len(sizes) == 1:
        return nn.Sequential(*layers, nn.Conv2d(channels, x[0], 3, padding=1))
    return nn.Sequential(*layers, Enlarge(channels, x[0], sizes[-1]))


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes that double up to this one, from the first that is coarse enough."""
    sizes = [(height, width)]
    while max(sizes[0]) > _COARSEST:
        sizes.insert(0, (-(-sizes[0][0] // 2), -(-sizes[0][1] // 2)))
    return sizes


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside the identity, (N, C, H, W) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            layers += [nn.Conv2d(channels, channels, 3, padding=1)]
        self.change = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + cast(Tensor, self.change(x))


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
