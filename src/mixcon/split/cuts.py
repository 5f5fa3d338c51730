"""Where a network can be cut, what then leaves the device, and what each half costs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mixcon._fused import without_fused_kernels
from mixcon.errors import CutError
from mixcon.split._cut import split_model
from mixcon.split._model import SplitModel
from mixcon.split._outputs import evaluating

__all__ = ["Cost", "Cut", "list_cuts", "multiply_adds"]

_REASON = 90  # characters of a reason


@dataclass(frozen=True)
class Cost:
    """What it takes to hold and to run a part of a network.

    Attributes:
        parameters: how many numbers it has learned.
        multiply_adds: of its convolutions and matrix products, for one sample; all else is small
            beside them and not counted.
    """

    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Cut:
    """A layer, and what a cut after it would mean.

    Attributes:
        layer: its dotted name.
        reason: why there can be no cut, in a few words; empty where there can.
        shape: shape of one representation, without the batch.
        bytes: size of one representation, before any channel.
        device: cost of the encoder.
        cloud: cost of the head.
    """

    layer: str
    reason: str = ""
    shape: tuple[int, ...] = ()
    bytes: int = 0
    device: Cost = Cost(0, 0)
    cloud: Cost = Cost(0, 0)

    @property
    def possible(self) -> bool:
        """Whether the network can be cut here."""
        return not self.reason


def list_cuts(net: nn.Module, shape: tuple[int, ...]) -> list[Cut]:
    """A record of each layer of `net`, inner layers before those that contain them.

    The network runs once for each layer, on zeros, in evaluation mode; it is left as it was.

    Args:
        net: any network with one input.
        shape: shape of one sample, without the batch.

    Raises:
        CutError: the network cannot run on such samples, or be cut after any layer.

    Example:
        >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
        >>> [(cut.layer, cut.shape, cut.device.multiply_adds) for cut in list_cuts(net, (4,))]
        [('0', (3,), 12), ('1', (3,), 12), ('2', (), 0)]
    """
    with evaluating(net), without_fused_kernels():
        x = torch.zeros(1, *shape)
        try:
            _, whole = _run(net, x)
        except Exception as error:  # somebody's code runs here, so anything may be raised
            raise CutError(
                f"expected a network that takes samples of shape {shape}, but "
                f"{type(net).__name__} ends in {type(error).__name__}: {error}"
            ) from error
        found = [_cut(net, name, x, whole) for name in _inside_out(net)]
        if found and not any(cut.possible for cut in found):
            _refuse(net, found, x)
        return found


def multiply_adds(run: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> int:
    """Of what a function does to one sample of this shape, as in `Cost`."""
    with without_fused_kernels():
        return _run(run, torch.zeros(1, *shape))[1]


def _refuse(net: nn.Module, found: Sequence[Cut], x: Tensor) -> None:
    """Say in full what keeps a network from being cut anywhere."""
    try:
        _tried(net, found[0].layer, x)
    except CutError as error:
        raise CutError(
            f"expected a network that can be cut after one of its {len(found)} layers, but it can "
            f"be cut after none; of '{found[0].layer}': {error}"
        ) from error


def _tried(net: nn.Module, at: str, x: Tensor) -> tuple[SplitModel, Tensor, int]:
    model = split_model(net, at)
    return model, *_run(model.encoder, x)


def _cut(net: nn.Module, at: str, x: Tensor, whole: int) -> Cut:
    try:
        model, z, done = _tried(net, at, x)
    except CutError as error:
        return Cut(at, _reason(error, at))
    device = Cost(_parameters(model.encoder), done)
    cloud = Cost(_parameters(model.head), whole - done)
    return Cut(at, "", tuple(z.shape[1:]), z[0].nbytes, device, cloud)


def _run(module: Callable[[Tensor], Tensor], x: Tensor) -> tuple[Tensor, int]:
    """What the module makes of x, and by how many multiply-adds."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        return module(x), counter.get_total_flops() // 2


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _reason(error: CutError, at: str) -> str:
    """What is the case, out of ``expected ..., but ...; the cure``."""
    fact = str(error).partition(", but ")[2].partition("; ")[0]
    return textwrap.shorten(fact.removeprefix(f"got '{at}', "), _REASON, placeholder=" ...")


def _inside_out(module: nn.Module, prefix: str = "") -> Iterator[str]:
    for name, child in module._modules.items():  # named_children() skips repeated layers
        if child is not None:
            yield from _inside_out(child, f"{prefix}{name}.")
            yield prefix + name
