"""What every loss does with a batch before it computes, and with its result."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.errors import ConfigError

__all__ = ["check_labels", "flat_rows", "full_precision", "norms", "spoiled"]

_ZERO = {torch.float32: 1e-30, torch.float64: 1e-150}  # one over it, and its square, stay in range


def check_labels(z: Tensor, y: Tensor) -> None:
    """Refuse labels that are not one integer per representation."""
    if y.ndim != 1 or y.shape[0] != z.shape[0] or y.is_floating_point():
        raise ConfigError(
            f"expected integer labels of shape ({z.shape[0]},) for representations of shape "
            f"{tuple(z.shape)}, but got {y.dtype} of shape {tuple(y.shape)}"
        )


def flat_rows(z: Tensor) -> Tensor:
    """(N, ...) to (N, m), in at least float32.

    Raises:
        ConfigError: numbers that are not of a floating type.
    """
    if not z.is_floating_point():
        raise ConfigError(f"expected numbers of a floating type, but got {z.dtype}: call .float()")
    rows = z.flatten(1) if z.ndim > 1 else z.unsqueeze(1)
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows


def norms(rows: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """L2 norms along `dim`, which is kept, to divide by.

    They are summed in float64, as squares of float32 leave its range below 1e-19 and above 1e19.
    Infinite where the norm is below 1e-30 (1e-150 in float64): what is divided by it becomes zero
    and gets no gradient. NaN where the norm is too large to tell, or where there is a NaN.
    """
    wide = rows.dtype if rows.device.type == "mps" else torch.float64  # MPS has no float64
    norm = torch.linalg.vector_norm(rows, dim=dim, keepdim=True, dtype=wide).to(rows.dtype)
    return F.threshold(norm.nan_to_num(math.nan, math.nan), _ZERO[rows.dtype], math.inf)


def spoiled(loss: Tensor, *inputs: Tensor) -> Tensor:
    """The loss, but NaN where an input has NaN or infinity, even in numbers that it leaves out.

    Also where the sum of an input leaves the range of its type.
    """
    for part in inputs:
        loss = torch.add(loss, flat_rows(part.detach()).sum(), alpha=0)
    return loss


def full_precision(z: Tensor) -> AbstractContextManager[object]:
    """Keep autocast from lowering distances, whose small differences matter."""
    if not torch.is_autocast_enabled(z.device.type):  # entering the context costs more than asking
        return nullcontext()
    return torch.autocast(z.device.type, enabled=False)
