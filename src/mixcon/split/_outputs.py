"""What each half must give: one tensor of real numbers, the same one for the same input."""

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
                f"expected {self.what} to give one tensor, but it gives {described(output)}; "
                f"{WRAP}, and split that"
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
    one seed. They ask about many inputs at once where a device asks about one, so the others of a
    batch must not matter. What is released is compared and sent in the type of the weights, which
    must hold it as it is.

    Args:
        model: a `SplitModel`; left in its mode.
        x: a few inputs, (N, ...).

    Raises:
        CutError: it names the layer that remembers, the half that mixes a batch, or the type.
    """
    with torch.random.fork_rng(), torch.no_grad(), evaluating(model):
        raw = cast(Tensor, model.represent(x))  # type: ignore[operator]
        released = cast(Tensor, model.channel(raw))  # type: ignore[operator]
        _check_type(released, x)
        for what, given in (("encoder", x), ("channel", raw), ("head", released)):
            _check_half(what, cast(nn.Module, getattr(model, what)), given)


def _check_type(released: Tensor, x: Tensor) -> None:
    if released.dtype == x.dtype:
        return
    if released.is_complex() or not torch.equal(released.to(x.dtype).to(released.dtype), released):
        raise CutError(
            f"expected the device to release numbers that {x.dtype} holds as they are, but it "
            f"releases {released.dtype}; bring them to that type in the encoder"
        )


def _check_half(what: str, half: nn.Module, given: Tensor) -> None:
    def answer(to: Tensor, seed: int = 0) -> Tensor:
        torch.manual_seed(seed)
        return cast(Tensor, half(to))

    first, before = answer(given), _memory(half)
    if not _alike(first, answer(given)):
        raise CutError(
            f"expected the {what} to answer the same input in the same way, but it remembers: "
            f"{', '.join(_changed(before, half)) or type(half).__name__} keeps a state between "
            "calls in evaluation mode; let it start anew at each call, or wrap it in a module that "
            "resets it"
        )
    if not _alike(first, answer(given, seed=1)):  # chance, whose draws depend on the batch
        return
    alone = [answer(each) for each in given.split(1)]
    if any(each.shape != first[:1].shape for each in alone) or not _alike(first, torch.cat(alone)):
        raise CutError(
            f"expected the {what} to answer each input by itself, but what it says of one depends "
            "on the others of its batch, also in evaluation mode; a device has but one, so take "
            "means and the like over the sample alone"
        )


def _alike(a: Tensor, b: Tensor) -> bool:
    if a.dtype == torch.bool:
        return torch.equal(a, b)
    largest = a.nan_to_num(0.0, 0.0, 0.0).abs().amax().item() if a.numel() else 0.0
    return torch.allclose(a, b, rtol=1e-4, atol=1e-5 * max(1.0, largest), equal_nan=True)


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
