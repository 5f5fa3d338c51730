"""Many small networks of the synthetic experiment, trained and inverted as one stack of matrices.

They differ in the penalty and in the seed, which draws data, first weights and batches of its own:
`mixcon.training.stacked` has one data set for all, and its loss no fixed pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["ACTIVATIONS", "Penalties", "Stack", "invert_stack", "train_stack"]

Activation = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, Activation] = {
    "relu": torch.relu,
    "leaky relu": F.leaky_relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
_CUT = 2  # layers before the representation


@dataclass
class Stack:
    """Networks of one shape.

    Attributes:
        layers: weights (M, in, out) and biases (M, 1, out) of each layer.
        activation: between layers.
        after: whether the representation is what the activation makes of the second layer.
    """

    layers: list[tuple[Tensor, Tensor]]
    activation: Activation
    after: bool

    def represent(self, x: Tensor) -> Tensor:
        """(M, N, in) to (M, N, 2)."""
        for weight, bias in self.layers[: _CUT - 1]:
            x = self.activation(torch.baddbmm(bias, x, weight))
        z = torch.baddbmm(self.layers[_CUT - 1][1], x, self.layers[_CUT - 1][0])
        return self.activation(z) if self.after else z

    def head(self, z: Tensor) -> Tensor:
        """(M, N, 2) to logits (M, N, classes)."""
        x = z if self.after else self.activation(z)
        *hidden, (weight, bias) = self.layers[_CUT:]
        for own, offset in hidden:
            x = self.activation(torch.baddbmm(offset, x, own))
        return torch.baddbmm(bias, x, weight)


@dataclass(frozen=True)
class Penalties:
    """MixCon's weight, beta and clamp of each network, (M,) each."""

    weight: Tensor
    beta: Tensor
    eps: Tensor


def train_stack(
    stack: Stack,
    x: Tensor,
    y: Tensor,
    orders: Sequence[Tensor],
    penalties: Penalties,
    *,
    batch: int,
    lr: float,
    softmaxes: int,
) -> None:
    """SGD on cross-entropy and MixCon of two classes, in place; what diverges turns NaN.

    Args:
        stack: M networks.
        x: samples of each, (M, N, in).
        y: their labels, 0 or 1, (M, N).
        orders: positions in the order of each epoch, (M, N) each.
        penalties: of each network.
        batch: samples a step, a divisor of N.
        lr: learning rate.
        softmaxes: 1 as the cross-entropy has it, or 2, one more in the network.
    """
    parameters = [tensor.requires_grad_() for layer in stack.layers for tensor in layer]
    for order in orders:
        shuffled = x.take_along_dim(order[..., None], 1), y.take_along_dim(order, 1)
        for own, labels in zip(*(part.split(batch, 1) for part in shuffled), strict=True):
            z = stack.represent(own)
            logits = stack.head(z)
            logits = logits.softmax(-1) if softmaxes == 2 else logits
            loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / batch
            loss = loss + (penalties.weight * _mixcon(z, labels, penalties)).sum()
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-lr)
    for tensor in parameters:
        tensor.requires_grad_(False)


def _mixcon(z: Tensor, y: Tensor, penalties: Penalties) -> Tensor:
    """Eq. 1 of each network for two classes: (M, B, 2) and (M, B) to (M,)."""
    order = y.argsort(dim=1, stable=True)
    zeros = (y == 0).sum(1, keepdim=True)
    place = torch.arange(y.shape[1] // 2, device=y.device)
    count = torch.minimum(zeros, y.shape[1] - zeros)
    second = order.take_along_dim((zeros + place).clamp_max(y.shape[1] - 1), 1)
    first = order[:, : len(place)]
    gap = z.take_along_dim(first[..., None], 1) - z.take_along_dim(second[..., None], 1)
    eps = penalties.eps[:, None]
    d = gap.square().sum(-1).clamp(eps, 1 / eps)
    terms = torch.where(place < count, d + penalties.beta[:, None] / d, 0)
    return terms.sum(1) / count.squeeze(1).clamp_min(1)


def invert_stack(
    stack: Stack, z: Tensor, start: Tensor, *, averaged: bool, steps: int = 500
) -> Tensor:
    """The paper's attack on vectors (C.1): SGD at 0.01 on the L1 distance, decay 1e-4.

    Args:
        stack: M networks.
        z: representations, (M, N, 2).
        start: where to start, (M, N, in).
        averaged: whether the distance is averaged over the numbers, not summed.
        steps: of SGD.
    """
    x = start.clone()
    scale = z.shape[-1] if averaged else 1
    for _ in range(steps):
        x.requires_grad_()
        (slope,) = torch.autograd.grad((stack.represent(x) - z).abs().sum() / scale, x)
        x = x.detach() - 0.01 * (slope + 1e-4 * x.detach())
    return x.detach()
