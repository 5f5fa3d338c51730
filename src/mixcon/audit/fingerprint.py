"""Tell by its weights whether a model is the one that was audited."""

from __future__ import annotations

import hashlib

from torch import nn

__all__ = ["fingerprint"]


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of the names and values of all weights and buffers, on any device, in hex."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
