"""MixCon, the consistency loss of the paper (Eq. 1)."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self, cast

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.losses._batch import check_labels, flat_rows, full_precision, norms, spoiled
from mixcon.losses.barriers import BARRIERS, Barrier
from mixcon.losses.base import SeparabilityLoss

__all__ = ["MixConLoss", "mixcon_loss"]


def mixcon_loss(
    z: Tensor,
    y: Tensor,
    *,
    beta: float = 1e-4,
    eps: float | None = None,
    barrier: str | Barrier = "reciprocal",
    normalize: bool = True,
) -> Tensor:
    """MixCon: pull the i-th members of different classes together, but not onto each other.

    With K classes in the batch, p the size of the smallest of them, and d the squared Euclidean
    distance clamped to [eps, 1/eps], the loss is the mean of `d + beta / d` over i < p and over
    the K (K - 1) ordered pairs of distinct classes. A batch with fewer than two classes costs 0.

    Half precision is computed in float32. While being compiled, or vmapped over labels, a
    formulation with static shapes runs instead, whose memory grows with the square of the batch
    size.

        mean over i < p and over ordered pairs a != b of classes of  d + beta / d,
        d = |z_ai - z_bi|^2 clamped to [eps, 1/eps]

    Args:
        z: representations, (N, ...), any floating type.
        y: integer labels, (N,).
        beta: repulsion, >= 0; the loss is lowest where all distances are sqrt(beta).
        eps: clamp, 0 < eps < sqrt(beta) < 1/eps, and no less than 1e-12 sqrt(beta) and 1e-30,
            so that gradients stay finite; default a tenth of the smaller bound.
        barrier: a name in `BARRIERS`, or a `Barrier`.
        normalize: scale each representation to unit L2 norm first (paper, footnote 3). A zero
            representation (of norm below 1e-30, in float64 1e-150) stays zero and receives no
            gradient.

    Returns:
        The loss, a scalar of z's type (float32 for half precision); NaN where z has NaN or
        infinity, or where a squared distance is too large for its type.

    Raises:
        ConfigError: beta < 0, eps out of range, an unfit barrier, or labels that do not match z.

    Source: Li et al., MixCon, Eq. 1.

    Cost: time O(p K^2 m), memory O(p K (K + m)) for K classes of p members with m numbers;
    docs/benchmarks.md has what that adds to a training step.

    >>> z = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> mixcon_loss(z, torch.tensor([0, 1]), beta=0.04)
    tensor(2.0200)
    """
    return _loss(z, y, _settings(beta, eps, barrier, normalize))


class MixConLoss(SeparabilityLoss):
    """`mixcon_loss` as a module; the settings are checked when it is made.

    >>> loss = MixConLoss(beta=1e-4)
    >>> loss(torch.randn(8, 4), torch.arange(8) % 2).shape
    torch.Size([])
    """

    against = "labels"
    stacked = ("beta", "eps")
    search = {  # noqa: RUF012  beta as in the paper (section 4.3)
        "beta": ("1e-2,1e-3,1e-4,1e-5,1e-6,1e-7,1e-8", "1e-8..1e-2")
    }

    def __init__(
        self,
        beta: float = 1e-4,
        eps: float | None = None,
        barrier: str | Barrier = "reciprocal",
        normalize: bool = True,
    ) -> None:
        super().__init__()
        self._settings = _settings(beta, eps, barrier, normalize)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """The loss of representations z, (N, ...), with labels y, (N,)."""
        return _loss(z, y, self._settings)

    @property
    def numbers(self) -> dict[str, float]:
        """The settings that are numbers: beta and eps."""
        return {"beta": self._settings.beta, "eps": self._settings.eps}

    def at(self, *, beta: Tensor, eps: Tensor) -> Self:  # type: ignore[override]
        """The same loss for other numbers, scalar tensors that `torch.func.vmap` may batch.

        They are not checked: take them from the `numbers` of losses that were.
        """
        other = copy(self)
        other._settings = replace(self._settings, beta=beta, eps=eps)
        return other

    def extra_repr(self) -> str:
        """The settings, as `print` shows them."""
        s = self._settings
        return (
            f"beta={s.beta:g}, eps={s.eps:g}, barrier={s.barrier.name!r}, normalize={s.normalize}"
        )


@dataclass(frozen=True)
class _Settings:
    beta: Any  # a float, or under vmap a tensor
    eps: Any
    barrier: Barrier
    normalize: bool

    def clamp(self, d: Tensor) -> Tensor:
        return d.clamp(self.eps, 1 / self.eps)


def _settings(beta: float, eps: float | None, barrier: str | Barrier, normalize: bool) -> _Settings:
    if not (math.isfinite(beta) and beta >= 0):
        raise ConfigError(f"expected beta >= 0, but got {beta}")
    rest = math.sqrt(beta) if beta else 1.0
    bound = min(rest, 1 / rest)
    if eps is None:
        eps = bound / 10 if beta else 1e-6
    if not 0 < eps < bound:
        name = "min(sqrt(beta), 1/sqrt(beta))" if beta else "1"
        raise ConfigError(
            f"expected 0 < eps < {name} = {bound:g}, but got eps = {eps}: "
            f"the clamp to [eps, 1/eps] would silence the repulsion of beta = {beta:g}"
        )
    least = max(1e-30, 1e-12 * rest)
    if eps < least:
        raise ConfigError(
            f"expected eps >= {least:g} for beta = {beta:g}, but got {eps:g}: at a distance of eps "
            f"the gradient would not be finite in float32"
        )
    return _Settings(float(beta), float(eps), _barrier(barrier), normalize)


def _barrier(barrier: str | Barrier) -> Barrier:
    if isinstance(barrier, Barrier):
        return barrier
    if barrier not in BARRIERS:
        raise ConfigError(f"expected a barrier out of {sorted(BARRIERS)}, but got {barrier!r}")
    return BARRIERS[barrier]


def _loss(z: Tensor, y: Tensor, settings: _Settings) -> Tensor:
    check_labels(z, y)
    if torch.compiler.is_compiling() or _is_vmapped(y):
        return _dense(z, y, settings)
    with full_precision(z):
        index = _partners(y)
        if index is None:
            return (flat_rows(z) * 0).sum()
        if torch._C._are_functorch_transforms_active():  # they differentiate for themselves
            return spoiled(_Pairs.of(z, index, settings).loss(), z)
        return cast(Tensor, _MixCon.apply(z, index, settings))  # type: ignore[no-untyped-call]


def _is_vmapped(y: Tensor) -> bool:
    functorch = torch._C._functorch
    while functorch.is_functorch_wrapped_tensor(y):
        if functorch.is_batchedtensor(y):
            return True
        y = functorch.get_unwrapped(y)
    return False


def _partners(y: Tensor) -> Tensor | None:
    """Row i holds the batch positions of the i-th member of every class: (p, K)."""
    members: dict[int, list[int]] = {}
    for position, label in enumerate(y.tolist()):
        members.setdefault(label, []).append(position)
    if len(members) < 2:
        return None
    return torch.tensor(list(zip(*members.values(), strict=False)), device=y.device)


class _MixCon(torch.autograd.Function):
    """The loss with its gradient in closed form: a third of autograd's kernel launches."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, index: Tensor, settings: _Settings) -> Tensor:
        pairs = _Pairs.of(z, index, settings)
        ctx.save_for_backward(z, index, pairs.gradient())
        ctx.settings = settings
        return spoiled(pairs.loss(), z)

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        z, index, gradient = ctx.saved_tensors
        if torch.is_grad_enabled():  # someone will differentiate again: keep the way back to z
            with full_precision(z):
                gradient = _Pairs.of(z, index, ctx.settings).gradient()
        return (outer * gradient).to(z.dtype), None, None


class _Pairs(NamedTuple):
    """The distances that the loss is made of; differentiable, and written for few kernels."""

    z: Tensor
    position: Tensor  # in the batch, (p * K,)
    norm: Tensor  # (p * K, 1)
    unit: Tensor  # (p * K, m)
    group: Tensor  # the same less the first row of each group, (p, K, m)
    value: Tensor  # of the barrier, (p, K, K)
    slope: Tensor  # its derivative by the squared distance, (p, K, K)
    settings: _Settings

    @staticmethod
    def of(z: Tensor, index: Tensor, s: _Settings) -> _Pairs:
        position = index.flatten()
        rows = flat_rows(z).index_select(0, position)
        norm = norms(rows, 1)
        unit = rows / norm if s.normalize else rows
        group = unit.unflatten(0, index.shape)
        # Distances from one member are small where the members are close: nothing cancels.
        group = group - group[:, :1]
        gram = torch.bmm(group, group.mT)
        square = gram.diagonal(dim1=1, dim2=2)
        d = torch.add(square[:, :, None] + square[:, None, :], gram, alpha=-2)
        clamped = s.clamp(d)
        value, slope = s.barrier.terms(clamped, s.beta)
        # Outside the clamp the loss is flat; d is exactly 0 on the diagonal, so that is out too.
        return _Pairs(z, position, norm, unit, group, value, slope.masked_fill(clamped != d, 0), s)

    def loss(self) -> Tensor:
        classes = self.value.shape[1]
        # Without its first entry a square matrix is K - 1 rows of K others and one of the diagonal.
        others = self.value.flatten(1)[:, 1:].unflatten(1, (classes - 1, classes + 1))[:, :, :-1]
        mean: Tensor = others.mean()
        return mean

    def gradient(self) -> Tensor:
        """By z, in the precision of the loss."""
        group, slope = self.group, self.slope
        p, classes, _ = slope.shape
        scale = 4 / (p * classes * (classes - 1))
        outward = slope.sum(2, keepdim=True) * group
        rows = torch.baddbmm(outward, slope, group, beta=scale, alpha=-scale).flatten(0, 1)
        if self.settings.normalize:
            along = torch.linalg.vecdot(self.unit, rows).unsqueeze(1)
            rows = torch.addcmul(rows, self.unit, along, value=-1) / self.norm
        whole = torch.zeros_like(flat_rows(self.z)).index_copy_(0, self.position, rows)
        return whole.view(self.z.shape)


def _dense(z: Tensor, y: Tensor, s: _Settings) -> Tensor:
    """The same loss out of N x N masks: more memory, but no shape depends on the labels."""
    with full_precision(z):
        rows = flat_rows(z)
        if s.normalize:
            rows = rows / norms(rows, 1)
        same = y[:, None] == y[None, :]
        rank = same.tril(-1).sum(1)
        p, classes = same.sum(1).amin(), (rank == 0).sum()
        pairs = (rank[:, None] == rank[None, :]) & ~same & (rank < p)[:, None]
        rows = rows - rows.mean(0)
        square = rows.square().sum(1)
        d = s.clamp(square[:, None] + square[None, :] - 2 * (rows @ rows.mT))
        value = torch.where(pairs, s.barrier.terms(d, s.beta)[0], 0)
        return spoiled(value.sum() / (p * classes * (classes - 1)).clamp_min(1), z)
