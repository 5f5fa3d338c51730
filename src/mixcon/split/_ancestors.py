"""The modules around a cut."""

from __future__ import annotations

from torch import nn

__all__ = ["ancestors", "is_sequential"]


def ancestors(net: nn.Module, at: str) -> list[nn.Module]:
    """The modules that contain the module named `at`, from `net` itself inwards."""
    parts = at.split(".")
    return [net.get_submodule(".".join(parts[:depth])) for depth in range(len(parts))]


def is_sequential(module: nn.Module) -> bool:
    """Whether the module just runs its children in order; subclasses may do otherwise."""
    return type(module).forward is nn.Sequential.forward
