"""The device's half as an ExecuTorch program, for phones and boards."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mixcon._extras import check_extra
from mixcon.errors import ConfigError
from mixcon.serving.agreement import refuse_other
from mixcon.serving.device_formats import ExecutorchEncoder
from mixcon.serving.onnx_graph import quiet
from mixcon.serving.to_onnx import EdgeHalf

__all__ = ["edge_executorch"]


def edge_executorch(half: EdgeHalf, x: Tensor) -> bytes:
    """The encoder with its channel for one sample: inputs x and noise, output z.

    What XNNPACK can compute is given to it; the rest runs in ExecuTorch's portable kernels.

    Args:
        half: in evaluation mode.
        x: samples, (N, ...), on which the program was seen to agree with PyTorch.

    Raises:
        ConfigError: the extra `executorch` is not installed, a layer cannot be expressed, or the
            program disagrees with PyTorch.
    """
    check_extra("executorch")
    with quiet(), torch.no_grad():
        program = _lowered(half, x[:1])
        noise = [torch.rand(shape, dtype=x.dtype) for shape in half.noise_shapes(x)]
        feeds = {str(i): fed.numpy() for i, fed in enumerate((x, *noise))}
        (found,) = ExecutorchEncoder(program).run(None, feeds)
        refuse_other("encoder", half(x, *noise).numpy(), np.asarray(found), "ExecuTorch")
    return program


def _lowered(half: EdgeHalf, x: Tensor) -> bytes:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import (  # noqa: PLC0415
        XnnpackPartitioner,
    )
    from executorch.exir import to_edge_transform_and_lower  # noqa: PLC0415

    inputs = (x, *(torch.zeros(shape, dtype=x.dtype) for shape in half.noise_shapes(x)))
    try:
        program = torch.export.export(half, inputs)
        edge = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
        return bytes(edge.to_executorch().buffer)
    except Exception as error:  # user code and a compiler run here, so anything may be raised
        words = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"expected layers that ExecuTorch can express, but it says {type(error).__name__}: "
            f"{words}; change that layer, or export without --device-format executorch"
        ) from error
