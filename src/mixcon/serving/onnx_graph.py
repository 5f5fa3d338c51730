"""A module as the bytes of an ONNX graph, or one line that says why not."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import Any

import torch
from onnx import ModelProto
from torch import Tensor, nn

from mixcon.errors import ConfigError

__all__ = ["module_to_onnx", "quiet"]


_LARGEST = 2**31 - 2**26  # bytes: protobuf takes messages of less than 2 GiB, the graph among them


def module_to_onnx(
    module: nn.Module, inputs: Sequence[Tensor], names: Sequence[str], output: str
) -> bytes:
    """Export a module of one output, for batches of any size.

    Args:
        module: in evaluation mode.
        inputs: two or more examples of each input, (N, ...).
        names: what to call the inputs.
        output: what to call the output.

    Raises:
        ConfigError: the module cannot be exported, or is too large.
    """
    _check_size(module, output)
    batch = torch.export.Dim("batch", min=1)
    first, *rest = ({0: batch} for _ in inputs)
    try:
        with quiet(), torch.no_grad():
            program = torch.onnx.export(
                module,
                tuple(inputs),
                input_names=list(names),
                output_names=[output],
                dynamic_shapes=(first, tuple(rest)) if rest else (first,),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except Exception as error:  # user code runs here, so anything may be raised
        raise ConfigError(
            f"expected layers that ONNX can express, but {_reason(error)} (on the way to "
            f"'{output}')"
        ) from error
    if program is None:
        raise ConfigError("expected the ONNX exporter to return a program, but got none")
    return _without_sources(program.model_proto).SerializeToString(deterministic=True)  # type: ignore[no-any-return]


def _check_size(module: nn.Module, output: str) -> None:
    held = [*module.parameters(), *module.buffers()]
    size = sum(tensor.numel() * tensor.element_size() for tensor in held)
    if size > _LARGEST:
        raise ConfigError(
            f"expected a half whose weights fit into one file of ONNX, {_LARGEST / 1e9:.1f} GB at "
            f"most, but that on the way to '{output}' has {size / 1e9:.1f} GB; cut elsewhere"
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporter's words about torch's own insides from the user."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):  # it prints, too
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _reason(error: BaseException) -> str:
    """What went wrong at the bottom of it, in one line, and the way out."""
    while error.__cause__:
        error = error.__cause__
    text = str(error)
    missing = re.search(r"No ONNX function found for <OpOverload\(op='([^']+)'", text)
    if missing:
        return f"there is no ONNX operator for {missing[1]}; compute it from other operations"
    if "data-dependent" in text:
        return (
            "forward branches on values in a tensor; choose between both results by torch.where, "
            "or cut elsewhere"
        )
    words = " ".join(text.split())[:200]
    return f"the exporter says {type(error).__name__}: {words}; change that layer, or cut elsewhere"


def _without_sources(model: ModelProto) -> ModelProto:
    """Without source lines and paths of the machine that exported it."""
    graph = model.graph
    everything: Iterable[Any] = (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    )
    for part in everything:
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    return model
