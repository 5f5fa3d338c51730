"""Attention and recurrent layers step by step, for what their fused kernels cannot do."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

__all__ = ["without_fused_kernels"]


@contextmanager
def without_fused_kernels() -> Iterator[None]:
    """Inside, what is run can be derived twice, and its multiplications are seen one by one."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
            warnings.simplefilter("ignore")  # on a CPU, flags() warns of a setting it passes on
            with torch.backends.mkldnn.flags(enabled=False):
                yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
