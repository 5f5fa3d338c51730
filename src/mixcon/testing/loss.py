"""What every loss of representations keeps to."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.func import grad, hessian, jvp, vmap

from mixcon.testing._expect import expect

__all__ = ["alike", "check_loss", "eager", "example"]

Loss = Callable[[Tensor, Tensor], Tensor]


def check_loss(
    loss: Loss,
    against: Literal["labels", "inputs"] = "labels",
    *,
    dtypes: Sequence[torch.dtype] = (torch.float32, torch.float64),
) -> None:
    """Check a loss in the loops that people write.

    It must give one finite number, the same at every call, with a gradient that reaches the
    representations; leave both arguments as they were; and say the same under ``no_grad``,
    ``inference_mode``, ``torch.func`` and ``vmap``.

    Args:
        loss: maps representations, (N, d), and what `against` names to a scalar.
        against: ``labels``, (N,), or ``inputs``, (N, C, H, W).
        dtypes: of the representations.

    Raises:
        AssertionError: one of these does not hold.

    Example:
        >>> from mixcon.losses import MixConLoss
        >>> check_loss(MixConLoss(beta=1e-4))
    """
    with warnings.catch_warnings():
        for kind in (DeprecationWarning, FutureWarning):  # torch's own use
            warnings.filterwarnings("ignore", ".torch.jit", kind)
        for dtype in dtypes:
            _check(loss, *example(against, dtype))


def _check(loss: Loss, z: Tensor, against: Tensor) -> None:
    before = z.clone(), against.clone()
    value, gradient = eager(loss, z, against)
    expect(bool(value.isfinite()), f"expected a finite number, but got {value.item()}")
    expect(bool(gradient.isfinite().all()), "expected a finite gradient")
    expect(bool(gradient.any()), "expected a gradient that reaches z, but it is 0")
    expect(
        torch.equal(z, before[0]) and torch.equal(against, before[1]),
        "expected both arguments to stay as they were",
    )
    _check_validation(loss, z, against, value)
    _check_functional(loss, z, against, value, gradient)
    for dims in ((0, None), (0, 0)):
        _check_vmap(loss, z, against, dims)


def example(against: str, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Representations, (12, 5), and labels of three classes, or inputs."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(12, 5, generator=generator, dtype=torch.float64).to(dtype)
    inputs = torch.rand(12, 1, 3, 3, generator=generator).to(dtype)
    return z, inputs if against == "inputs" else torch.arange(12) % 3


def eager(loss: Loss, z: Tensor, against: Tensor) -> tuple[Tensor, Tensor]:
    """The loss and its gradient as plain autograd has them."""
    z = z.clone().requires_grad_()
    value = loss(z, against)
    expect(value.ndim == 0, f"expected a scalar, but got shape {tuple(value.shape)}")
    expect(value.requires_grad, "expected a loss that depends on z, but it has no gradient")
    return value.detach(), torch.autograd.grad(value, z)[0]


def alike(got: Tensor, expected: Tensor, dtype: torch.dtype) -> None:
    """Equal up to the rounding of representations of that type."""
    loose = 1e-10 if dtype is torch.float64 else 20 * torch.finfo(dtype).eps
    torch.testing.assert_close(got, expected, rtol=loose, atol=loose)


def _check_validation(loss: Loss, z: Tensor, against: Tensor, value: Tensor) -> None:
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            alike(loss(z, against), value, z.dtype)
            alike(loss(z.clone(), against.clone()), value, z.dtype)


def _check_functional(
    loss: Loss, z: Tensor, against: Tensor, value: Tensor, gradient: Tensor
) -> None:
    alike(grad(loss)(z, against), gradient, z.dtype)
    again, along = jvp(lambda z: loss(z, against), (z,), (z,))[:2]
    alike(again, value, z.dtype)
    expect(bool(along.isfinite()), "expected a finite derivative under torch.func.jvp")
    curvature = hessian(lambda z: loss(z, against))(z)
    expect(bool(curvature.isfinite().all()), "expected finite second derivatives")


def _check_vmap(loss: Loss, z: Tensor, against: Tensor, dims: tuple[int, int | None]) -> None:
    stack = torch.stack([z, z.flip(0)])
    many = against if dims[1] is None else torch.stack([against, against])
    expected = [eager(loss, part, against) for part in stack]
    alike(vmap(loss, dims)(stack, many), torch.stack([e[0] for e in expected]), z.dtype)
    got = vmap(grad(loss), dims)(stack, many)
    alike(got, torch.stack([e[1] for e in expected]), z.dtype)
