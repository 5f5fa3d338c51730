"""Modules that leave what they are given as it is."""

from __future__ import annotations

from typing import Any, TypeVar

from torch import Tensor, nn

from mixcon.split._outputs import OneTensor

__all__ = ["is_altered", "keep_inputs"]

M = TypeVar("M", bound=nn.Module)


def keep_inputs(module: M) -> M:
    """Let `module` work on a copy of each tensor that it is called with, from now on.

    A copy rather than a check: what a module overwrites (itself, a function that it calls, a view)
    shows only once it has run, when the tensor is lost; under `torch.inference_mode` not even the
    tensor's version tells. A hook rather than a wrapper: the names of weights stay, and so does
    every way to call the module, other than its bare ``forward``. Gradients flow through the copy.

    Args:
        module: gets the hook, unless it has it.

    Returns:
        The same module.
    """
    if _copies not in module._forward_pre_hooks.values():
        module.register_forward_pre_hook(_copies, prepend=True, with_kwargs=True)
    return module


def is_altered(module: nn.Module) -> bool:
    """Whether a call of `module` is more than its class's forward; our own hooks do not count."""
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    own = [hook is _copies or isinstance(hook, OneTensor) for hook in hooks]
    return "forward" in vars(module) or not all(own)


def _copies(
    _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(_copy, args)), {name: _copy(value) for name, value in kwargs.items()}


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
