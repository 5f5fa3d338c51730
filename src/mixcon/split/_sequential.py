"""Cut nested nn.Sequentials by slicing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import cast

from torch import nn

from mixcon.errors import CutError

__all__ = ["slice_halves"]


def slice_halves(net: nn.Module, at: str) -> tuple[nn.Sequential, nn.Sequential]:
    """Slice `net`, in which every module around `at` is a plain nn.Sequential."""
    encoder, head = _slice(net, at.split("."))
    if not len(head):
        raise CutError(
            f"expected a layer with others behind it, but got '{at}', the last one of the network; "
            "cut earlier, so that something is left for the head"
        )
    return encoder, head


def _slice(net: nn.Module, path: list[str]) -> tuple[nn.Sequential, nn.Sequential]:
    children = cast("dict[str, nn.Module]", net._modules)  # named_children() skips repeated layers
    names = list(children)
    place = names.index(path[0])
    before = [(name, children[name]) for name in names[: place + 1]]
    after = [(name, children[name]) for name in names[place + 1 :]]
    if len(path) > 1:
        inner, rest = _slice(children[path[0]], path[1:])
        before[-1] = (path[0], inner)
        after = [(path[0], rest)] * bool(len(rest)) + after
    return _sequential(before), _sequential(after)


def _sequential(children: Iterable[tuple[str, nn.Module]]) -> nn.Sequential:
    return nn.Sequential(OrderedDict(children))
