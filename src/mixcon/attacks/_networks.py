"""Networks of learned attacks: a judge of realness, a guess at the encoder, a prior of images."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from mixcon.kinds import Kind
from mixcon.models.decoder import doubled_sizes

__all__ = ["discriminator", "prior_network", "shadow_encoder"]

_WIDTH = 32
_CODE = 16  # channels of the code of a generator


def discriminator(shape: tuple[int, ...]) -> nn.Sequential:
    """An untrained network from images, (N, C, H, W), to one logit each: is it a real one?

    Source: Radford et al., DCGAN, ICLR 2016: strided convolutions with leaky ReLU, batch
    normalization in all but the first.
    """
    channels, height, width = shape
    layers: list[nn.Module] = []
    wanted = _WIDTH
    while max(height, width) > 4:
        normalized = [nn.BatchNorm2d(wanted)] if layers else []
        layers += [nn.Conv2d(channels, wanted, 3, 2, 1), *normalized, nn.LeakyReLU(0.2)]
        channels, wanted = wanted, 2 * wanted
        height, width = -(-height // 2), -(-width // 2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, 1))


def shadow_encoder(x: tuple[int, ...], z: tuple[int, ...], *, rectified: bool) -> nn.Sequential:
    """An untrained network from inputs to representations, as a stranger would build it.

    Images go through blocks of convolution and max pooling, as long as they are at least twice as
    large as the representation; anything else and flat representations through a linear layer.

    Args:
        x: shape of one input.
        z: shape of one representation.
        rectified: whether representations are never negative.
    """
    last = [nn.ReLU()] if rectified else []
    if Kind.of(x) is not Kind.IMAGE:
        wide = 4 * _WIDTH
        flat = [nn.Flatten(), nn.Linear(prod(x), wide), nn.ReLU(), nn.Linear(wide, prod(z))]
        return nn.Sequential(*flat, nn.Unflatten(1, z), *last)
    target = z[1:] if len(z) == 3 else (4, 4)
    channels, height, width = x
    layers: list[nn.Module] = []
    while height >= 2 * target[0] and width >= 2 * target[1]:
        block = [nn.Conv2d(channels, _WIDTH, 3, padding=1), nn.BatchNorm2d(_WIDTH), nn.ReLU()]
        layers += [*block, nn.MaxPool2d(2)]
        channels, height, width = _WIDTH, height // 2, width // 2
    layers += [nn.AdaptiveAvgPool2d(target)]
    if len(z) == 3:
        return nn.Sequential(*layers, nn.Conv2d(channels, z[0], 3, padding=1), *last)
    to_z = [nn.Flatten(), nn.Linear(channels * prod(target), prod(z)), nn.Unflatten(1, z)]
    return nn.Sequential(*layers, *to_z, *last)


def prior_network(shape: tuple[int, ...]) -> tuple[nn.Sequential, Tensor]:
    """An untrained generator of one image, unbounded, and the random code that it starts from.

    Args:
        shape: (C, H, W).
    """
    coarsest, *larger = doubled_sizes(*shape[1:])
    code = torch.randn(1, _CODE, *coarsest)
    layers, channels, wanted = list[nn.Module](), _CODE, 32
    for size in larger:
        block = [nn.Conv2d(channels, wanted, 3, padding=1), nn.GroupNorm(1, wanted)]
        layers += [*block, nn.LeakyReLU(0.2), nn.Upsample(size, mode="bilinear")]
        channels, wanted = wanted, max(wanted // 2, 16)
    return nn.Sequential(*layers, nn.Conv2d(channels, shape[0], 3, padding=1)), code
