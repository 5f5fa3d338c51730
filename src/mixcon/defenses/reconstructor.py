"""Adversarial reconstruction: a decoder learns to invert z, and the encoder to defeat it."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.defenses.base import Adversary, Batch
from mixcon.models.decoder import inverse_network
from mixcon.split import Sizes

__all__ = ["Reconstructor"]


class Reconstructor(Adversary):
    """A decoder that is trained along with the model, which is rewarded for its error.

    The decoder minimizes its mean squared error, in units of the variance of the batch. The model
    is charged one minus that, down to nothing where the decoder does no better than the batch's
    mean: beyond it there is nothing more to hide.

        decoder:  min over D of  e = |D(z) - x|^2 / |x - mean x|^2;   model:  + weight max(0, 1 - e)

    Source: Li et al., ResSFL, CVPR 2022, without its second, frozen expert.

    Args:
        weight: how much the decoder's success costs the model, >= 0.
        sizes: of the model it is built for.

    Cost: a decoder that trains along: a forward and backward pass of it in the model's step, and
    one in its own. Nothing at inference.
    """

    def __init__(self, weight: float = 1.0, *, sizes: Sizes) -> None:
        super().__init__(weight)
        self.decoder = inverse_network(sizes.representation, sizes.inputs)

    def forward(self, batch: Batch) -> Tensor:
        """The decoder's relative error, a scalar >= 0; about 1 for the batch's mean."""
        error = (self.decoder(batch.z) - batch.x).square().mean()
        relative: Tensor = error / (batch.x - batch.x.mean(0)).square().mean().clamp_min(1e-8)
        return relative

    def cost(self, batch: Batch) -> Tensor:
        """How much better than the mean the decoder is, in [0, 1]."""
        return torch.relu(1 - self(batch))
