"""What each half must give: one tensor, and the same one for the same input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, fx, nn

from mixcon.errors import CutError

__all__ = ["OneTensor", "check_steady", "described", "evaluating", "give_one_tensor"]

WRAP = "wrap it in a module whose forward returns the one that is meant"

M = TypeVar("M", bound=nn.Module)


class OneTensor:
    """A forward hook that refuses any other output than one tensor."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, module: nn.Module, args: Any, output: Any) -> None:
        if not isinstance(output, Tensor | fx.Proxy):
            raise CutError(
                f"expected {self.what} to give one tensor, but got {described(output)}; {WRAP}, "
                "and split that"
            )


def give_one_tensor(module: M, what: str) -> M:
    """Let `module` refuse to give anything but one tensor, from now on.

    Args:
        module: gets the hook, unless it has one.
        what: what the error calls it.
    """
    if not any(isinstance(hook, OneTensor) for hook in module._forward_hooks.values()):
        module.register_forward_hook(OneTensor(what))
    return module


def described(output: Any) -> str:
    """An output that is no tensor, in words: what it is, and what is in it."""
    if isinstance(output, Mapping):
        return f"a dict of {', '.join(map(repr, output))}"
    name = f"a {type(output).__name__}"
    if isinstance(output, tuple | list):
        return f"{name} of {len(output)}"
    return name


def check_steady(model: nn.Module, x: Tensor) -> None:
    """Refuse a split model of which a half answers the same input in another way each time.

    Attacks, audits and servers ask again and again, about other people's inputs in between: what a
    half remembers would leak from one to the next. Chance is no memory: both answers are drawn from
    one seed.

    Args:
        model: a `SplitModel`; left in its mode.
        x: a few inputs, (N, ...).

    Raises:
        CutError: it names the layer that remembers.
    """
    with torch.random.fork_rng(), torch.no_grad(), evaluating(model):
        released = cast(Tensor, model.release(x))  # type: ignore[operator]
        for what, half, given in (("encoder", model.encoder, x), ("head", model.head, released)):
            _check_half(what, cast(nn.Module, half), given)


def _check_half(what: str, half: nn.Module, given: Tensor) -> None:
    def answer() -> Tensor:
        torch.manual_seed(0)
        return cast(Tensor, half(given))

    first, before = answer(), _memory(half)
    if not torch.allclose(first, answer(), rtol=1e-4, atol=1e-5, equal_nan=True):
        raise CutError(
            f"expected the {what} to answer the same input in the same way, but it remembers: "
            f"{', '.join(_changed(before, half)) or type(half).__name__} keeps a state between "
            "calls in evaluation mode; let it start anew at each call, or wrap it in a module that "
            "resets it"
        )


def _memory(half: nn.Module) -> dict[str, dict[str, tuple[Any, int]]]:
    """Attributes and buffers of each module, with how often a tensor among them was changed."""
    return {
        name: {
            key: (value, value._version if isinstance(value, Tensor) else 0)
            for key, value in {**vars(module), **module._buffers}.items()
        }
        for name, module in half.named_modules()
    }


def _changed(before: dict[str, dict[str, tuple[Any, int]]], half: nn.Module) -> Iterator[str]:
    for name, after in _memory(half).items():
        found = [key for key, kept in after.items() if not _same(before[name].get(key), kept)]
        if found:
            yield f"'{name}' ({', '.join(found)})"


def _same(before: tuple[Any, int] | None, after: tuple[Any, int]) -> bool:
    return before is not None and before[0] is after[0] and before[1] == after[1]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In evaluation mode; afterwards each module in the mode that it was in."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
