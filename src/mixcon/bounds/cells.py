"""What no attacker can exceed on given inputs, where z is discrete: inputs of a cell look alike."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.metrics import ssim

__all__ = ["best_in_cells", "cells", "likeness_in_cells"]


def cells(z: Tensor) -> Tensor:
    """The number of the cell of each representation, (N, ...) to (N,): equal z, equal cell.

        cell(x) = { x' : z(x') = z(x) }

    Source: elementary: a function of z cannot tell inputs of equal z apart.

    Cost: a sort of the representations.
    """
    cell: Tensor = torch.unique(z.flatten(1), dim=0, return_inverse=True)[1]
    return cell


def best_in_cells(z: Tensor, originals: Tensor) -> Tensor:
    """The reconstructions of least squared error that any function of z can give for these inputs.

    An attacker who sees z must answer all inputs of a cell alike, and the mean of these inputs has
    the least squared error. So no attack on these inputs reaches a smaller mean squared error,
    however strong; one that has not seen them does worse. Cells of one input bound nothing.

        a(x) = mean of the inputs in the cell of x

    Args:
        z: what was released, (N, ...).
        originals: the inputs, (N, *shape).

    Source: the centroid condition of Lloyd, Least Squares Quantization in PCM, IEEE Transactions on
    Information Theory 1982.

    Cost: a sort of the representations and one pass over the inputs.
    """
    cell = cells(z)
    flat = originals.flatten(1)
    sums = flat.new_zeros(int(cell.max()) + 1, flat.shape[1]).index_add_(0, cell, flat)
    counts = torch.bincount(cell).to(flat)[:, None]
    return (sums / counts)[cell].view(originals.shape)


def likeness_in_cells(z: Tensor, originals: Tensor, steps: int = 200, lr: float = 0.02) -> Tensor:
    """The same for SSIM, (N, C, H, W): one image a cell, improved from its mean by Adam.

    SSIM is not concave in the image, so this is a local best: an estimate of the bound from below,
    and no proof.

        max over a of  sum over x in a cell of  SSIM(a, x),   a found by Adam from the mean

    Args:
        z: what was released, (N, ...).
        originals: images in [0, 1], (N, C, H, W).
        steps: of Adam.
        lr: its learning rate.

    Source: mixcon's own, on the SSIM of Wang et al., IEEE Transactions on Image Processing 2004.

    Cost: steps comparisons of all inputs.
    """
    cell = cells(z)
    start = best_in_cells(z, originals)
    first = torch.zeros(int(cell.max()) + 1, dtype=torch.long)
    first[cell] = torch.arange(len(cell))
    with torch.enable_grad():
        images = start[first].clone().requires_grad_()
        optimizer = torch.optim.Adam([images], lr=lr)
        for _ in range(steps):
            optimizer.zero_grad()
            (-ssim(images[cell], originals).sum()).backward()
            optimizer.step()
            with torch.no_grad():
                images.clamp_(0, 1)
    found = images.detach()[cell]
    better = (
        ssim(found, originals)
        .new_zeros(len(first))
        .index_add_(0, cell, ssim(found, originals) - ssim(start, originals))
    )
    return torch.where((better > 0)[cell].view(-1, 1, 1, 1), found, start)
