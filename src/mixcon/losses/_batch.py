"""What every loss does with a batch before it computes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from mixcon.errors import ConfigError

__all__ = ["check_labels", "flat_rows", "full_precision"]


def check_labels(z: Tensor, y: Tensor) -> None:
    """Refuse labels that are not one integer per representation."""
    if y.ndim != 1 or y.shape[0] != z.shape[0] or y.is_floating_point():
        raise ConfigError(
            f"expected integer labels of shape ({z.shape[0]},) for representations of shape "
            f"{tuple(z.shape)}, but got {y.dtype} of shape {tuple(y.shape)}"
        )


def flat_rows(z: Tensor) -> Tensor:
    """(N, ...) to (N, m), in at least float32."""
    rows = z.flatten(1) if z.ndim > 1 else z.unsqueeze(1)
    return rows.float() if rows.dtype in (torch.float16, torch.bfloat16) else rows


def full_precision(z: Tensor) -> AbstractContextManager[object]:
    """Keep autocast from lowering distances, whose small differences matter."""
    if not torch.is_autocast_enabled(z.device.type):  # entering the context costs more than asking
        return nullcontext()
    return torch.autocast(z.device.type, enabled=False)
