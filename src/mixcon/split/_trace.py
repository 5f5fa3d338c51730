"""Record what a network's forward does, with torch.fx, and leave the network as it was."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from mixcon.errors import CutError
from mixcon.split._outputs import WRAP, described

__all__ = ["OWN_HALVES", "Trace", "record"]

OWN_HALVES = "or pass your own halves to SplitModel(encoder, head)"


@dataclass(frozen=True)
class Trace:
    """The calls of one forward, and the tensors that it made up on the way."""

    graph: fx.Graph
    constants: dict[str, Tensor]

    def same(self, other: Trace) -> bool:
        """Whether both traces compute the same."""
        return str(self.graph) == str(other.graph) and all(
            torch.equal(tensor, other.constants[name]) for name, tensor in self.constants.items()
        )


def record(net: nn.Module, entered: Collection[nn.Module]) -> Trace:
    """Trace `net`, entering only the modules in `entered`; each other module is one call.

    Tracing freezes every decision that does not depend on a tensor. So `net` is traced in both
    modes, and refused where the two differ (`self.training`, or chance).

    Raises:
        CutError: `forward` cannot be traced, takes several inputs, gives something else than one
            tensor, or depends on mode or chance.
    """
    trace, evaluation = (_record_in_mode(net, entered, training) for training in (True, False))
    if not trace.same(evaluation):
        raise CutError(
            f"expected the forward around the cut to be the same at every call, but that of "
            f"{type(net).__name__} depends on self.training or on chance; use modules for that, "
            f"such as nn.Dropout, {OWN_HALVES}"
        )
    _refuse_several_inputs(trace.graph)
    _refuse_several_outputs(net, trace.graph)
    return trace


def _record_in_mode(net: nn.Module, entered: Collection[nn.Module], training: bool) -> Trace:
    with _restored(entered):
        for module in entered:
            module.training = training
        graph = _graph(net, entered)
        constants = {k: v for k, v in vars(net).items() if k.startswith("_tensor_constant")}
    return Trace(graph, constants)


@contextmanager
def _restored(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Undo what happens to the attributes of `modules`: mode, caches, constants of the tracer."""
    saved = [(module, dict(vars(module))) for module in modules]
    try:
        yield
    finally:
        for module, attributes in saved:
            vars(module).clear()
            vars(module).update(attributes)


def _graph(net: nn.Module, entered: Collection[nn.Module]) -> fx.Graph:
    try:
        return _Tracer(entered).trace(net, concrete_args=_defaults(net))
    except Exception as error:  # user code runs here, so anything may be raised
        raise CutError(
            f"expected a forward of {type(net).__name__} that torch.fx can trace, but got "
            f"{type(error).__name__}: {error}; move branches on data into a module of their own, "
            f"{OWN_HALVES}"
        ) from error


class _Tracer(fx.Tracer):
    proxy_buffer_attributes = True  # a buffer that forward replaces is an error, not a constant

    def __init__(self, entered: Collection[nn.Module]) -> None:
        super().__init__()
        self._entered = entered

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return m not in self._entered


def _defaults(net: nn.Module) -> dict[str, object]:
    parameters = inspect.signature(net.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _refuse_several_inputs(graph: fx.Graph) -> None:
    inputs = [n.target for n in graph.find_nodes(op="placeholder") if not n.args]
    if len(inputs) != 1:
        raise CutError(
            f"expected a network with one input, but got {len(inputs)}: "
            f"{', '.join(map(str, inputs))}; wrap it in a module that takes one tensor, "
            f"{OWN_HALVES}"
        )


def _refuse_several_outputs(net: nn.Module, graph: fx.Graph) -> None:
    (output,) = graph.find_nodes(op="output")
    given = output.args[0]
    if not isinstance(given, fx.Node):
        raise CutError(
            f"expected a network whose output is one tensor, but that of {type(net).__name__} is "
            f"{described(given)}; {WRAP} (such as its 'logits'), {OWN_HALVES}"
        )
