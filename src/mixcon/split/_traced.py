"""Cut a network with a forward of its own, by cutting the graph of its trace."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx, nn

from mixcon.errors import CutError
from mixcon.split._ancestors import ancestors
from mixcon.split._trace import OWN_HALVES, Trace, record

__all__ = ["trace_halves"]

_PURE = frozenset({operator.add, operator.sub, operator.mul, operator.truediv, operator.neg,
                   operator.pow, operator.matmul, operator.getitem, torch.mean, torch.sum,
                   torch.cat, torch.flatten, torch.softmax, torch.sigmoid})  # fmt: skip


def trace_halves(net: nn.Module, at: str) -> tuple[fx.GraphModule, fx.GraphModule]:
    """Trace the modules around `at`, and cut the graph after the call of `at`."""
    cut = _find_cut(net, at)
    crossing = cut.crossing()
    if crossing:
        raise CutError(
            f"expected only the output of '{at}' to cross the cut, but the head also needs "
            f"{', '.join(map(_describe, crossing))}; {_suggestion(net, at, cut)}{OWN_HALVES}"
        )
    return _module(net, cut, _encoder_graph(cut)), _module(net, cut, _head_graph(cut))


@dataclass(frozen=True)
class _Cut:
    """A traced network, the call after which it is cut, and the nodes of the encoder."""

    trace: Trace
    node: fx.Node
    encoder: frozenset[fx.Node]

    def crossing(self) -> list[fx.Node]:
        """Values other than the representation that the head takes from the encoder."""
        return [
            node
            for node in self.trace.graph.nodes
            if node in self.encoder - {self.node} and not self.encoder.issuperset(node.users)
        ]


def _find_cut(net: nn.Module, at: str) -> _Cut:
    trace = record(net, ancestors(net, at))
    _drop_unused(trace.graph)
    node = _only_call(net, at, trace.graph)
    cut = _Cut(trace, node, _encoder_nodes(trace.graph, node))
    if all(other in cut.encoder or other.op == "output" for other in trace.graph.nodes):
        raise CutError(
            f"expected a layer with others behind it, but got '{at}', the last one of the network; "
            "cut earlier, so that something is left for the head"
        )
    return cut


def _drop_unused(graph: fx.Graph) -> None:
    """Leave out values that nobody reads, such as an output that a wrapper does not pass on.

    Only those that can have no effect: what works in place may be read by others.
    """
    for node in reversed(list(graph.nodes)):
        if not node.users and _has_no_effect(node):
            graph.erase_node(node)


def _has_no_effect(node: fx.Node) -> bool:
    if node.op == "call_method":
        return not str(node.target).endswith("_")
    return node.op == "call_function" and node.target in _PURE


def _only_call(net: nn.Module, at: str, graph: fx.Graph) -> fx.Node:
    module = net.get_submodule(at)
    calls: list[fx.Node] = [
        node
        for node in graph.find_nodes(op="call_module")
        if net.get_submodule(str(node.target)) is module
    ]
    if len(calls) != 1:
        raise CutError(
            f"expected a module that forward calls once, but '{at}' is called {len(calls)} times; "
            f"cut at another module, {OWN_HALVES}"
        )
    (call,) = calls
    return call


def _encoder_nodes(graph: fx.Graph, cut: fx.Node) -> frozenset[fx.Node]:
    """All that `cut` depends on, and what runs before it for its effect alone (assertions)."""
    nodes = list(graph.nodes)
    earlier = nodes[: nodes.index(cut)]
    pending = [cut, *(node for node in earlier if not node.users)]
    found: set[fx.Node] = set()
    while pending:
        node = pending.pop()
        found.add(node)
        pending.extend(source for source in node.all_input_nodes if source not in found)
    return frozenset(found)


def _encoder_graph(cut: _Cut) -> fx.Graph:
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in cut.trace.graph.nodes:
        if node in cut.encoder:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    graph.output(copies[cut.node])
    return graph


def _head_graph(cut: _Cut) -> fx.Graph:
    graph = fx.Graph()
    copies = {cut.node: graph.placeholder("z")}
    for node in cut.trace.graph.nodes:
        if node not in cut.encoder:
            copies[node] = graph.node_copy(node, copies.__getitem__)
    return graph


def _module(net: nn.Module, cut: _Cut, graph: fx.Graph) -> fx.GraphModule:
    """`graph` as a module that holds what it uses of `net`, and nothing else."""
    targets = [str(n.target) for n in graph.nodes if n.op in ("call_module", "get_attr")]
    parts = {name: _part(net, cut.trace, name) for name in targets}
    return fx.GraphModule(parts, graph, class_name=type(net).__name__)


def _part(net: nn.Module, trace: Trace, name: str) -> Any:
    if name in trace.constants:
        return trace.constants[name]
    owner, _, attribute = name.rpartition(".")
    return getattr(net.get_submodule(owner), attribute)


def _describe(node: fx.Node) -> str:
    kinds = {"placeholder": "the input", "call_module": "the output of", "get_attr": "the tensor"}
    return f"{kinds[node.op]} '{node.target}'" if node.op in kinds else f"the value '{node.name}'"


def _suggestion(net: nn.Module, at: str, cut: _Cut) -> str:
    """The nearest layer around or behind `at` where a cut works, as advice; "" without one."""
    parts = at.split(".")
    around = [".".join(parts[:depth]) for depth in range(len(parts) - 1, 0, -1)]
    nodes = list(cut.trace.graph.nodes)
    behind = [str(n.target) for n in nodes[nodes.index(cut.node) :] if n.op == "call_module"]
    works = next((name for name in [*around, *behind] if _is_clean(net, name)), None)
    return f"cut after they join, for example at '{works}', " if works else ""


def _is_clean(net: nn.Module, at: str) -> bool:
    try:
        return not _find_cut(net, at).crossing()
    except CutError:
        return False
