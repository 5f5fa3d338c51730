"""split: cut any module after one of its layers."""

from __future__ import annotations

from difflib import get_close_matches

from torch import nn

from mixcon.errors import CutError
from mixcon.split._ancestors import ancestors, is_sequential
from mixcon.split._inputs import is_altered
from mixcon.split._model import SplitModel
from mixcon.split._sequential import slice_halves
from mixcon.split._traced import trace_halves

__all__ = ["split_model"]


def split_model(net: nn.Module, at: str, channel: nn.Module | None = None) -> SplitModel:
    """Cut `net` after the module called `at`.

    Nested `nn.Sequential`s are sliced; where another `forward` surrounds the cut, it is traced
    with `torch.fx` (only the modules around `at` are; all others stay as they are). Child names
    are kept and the layers are shared with `net`, not copied: training the split trains `net`.

    Args:
        net: any network with one input.
        at: dotted name, as in `net.named_modules()`, of the module whose output leaves the device.
        channel: applied to the representation before it leaves; the identity by default.

    Returns:
        The split model, in the training or evaluation mode of `net`; its output equals that of
        `net` (channel aside).

    Raises:
        CutError: no such module, nothing left for the head, a value besides the representation
            crosses the cut (skip connection), the module is called more than once or never, both
            halves use the same weights, `forward` cannot be traced, or its output is no one tensor.
            Where only a call shows that a half gives something else, that call raises it.

    Example:
        >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        >>> split_model(net, at="1").encoder
        Sequential(
          (0): Linear(in_features=4, out_features=3, bias=True)
          (1): ReLU()
        )
    """
    _refuse_unknown(net, at)
    around = ancestors(net, at)
    for module in around:
        _refuse_altered(module)
    cut = slice_halves if all(map(is_sequential, around)) else trace_halves
    encoder, head = cut(net, at)
    model = SplitModel(encoder, head, channel, at=at)
    _adopt_mode(model, net)
    return model


def _refuse_unknown(net: nn.Module, at: str) -> None:
    names = [name for name, _ in net.named_modules(remove_duplicate=False) if name]
    if at not in names:
        nearest = get_close_matches(at, names, n=3, cutoff=0.3)
        raise CutError(
            f"expected the name of a module inside {type(net).__name__}, but got '{at}'; nearest: "
            f"{', '.join(map(repr, nearest)) or 'none'}; list all of them with "
            "[name for name, _ in net.named_modules()]"
        )


def _refuse_altered(module: nn.Module) -> None:
    """Refuse what slicing and tracing would silently leave behind."""
    if is_altered(module):
        raise CutError(
            f"expected modules around the cut without forward hooks, but {type(module).__name__} "
            "has some (or a replaced forward); remove them first, or pass your own halves to "
            "SplitModel(encoder, head)"
        )


def _adopt_mode(model: SplitModel, net: nn.Module) -> None:
    """Give the new containers the mode of `net`, and leave its own layers alone."""
    kept = {*net.modules(), *model.channel.modules()}
    for module in model.modules():
        if module not in kept:
            module.training = net.training
