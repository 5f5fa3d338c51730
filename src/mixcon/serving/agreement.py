"""Do the exported halves compute what PyTorch computes?"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError
from mixcon.serving.runtime import session
from mixcon.serving.to_onnx import EdgeHalf

__all__ = ["compare", "refuse_other"]

_TOLERANCE = 1e-4
_EXCEPTIONS = 1e-3  # share of numbers: rounding may fall to the other side of a level


def compare(half: EdgeHalf, head: nn.Module, x: Tensor, encoder: bytes, cloud: bytes) -> float:
    """Run both halves in both runtimes on the same noise.

    PyTorch gets one batch; ONNX Runtime gets the first sample by itself, so that a half that mixes
    the samples of a batch shows.

    Args:
        half: encoder and channel in PyTorch.
        head: the head in PyTorch.
        x: two or more samples, (N, ...).
        encoder: `half` as ONNX.
        cloud: `head` as ONNX.

    Returns:
        The largest difference between logits.

    Raises:
        ConfigError: a half does not run, or gives another type, shape or numbers.
    """
    noise = [torch.rand(shape, dtype=x.dtype) for shape in half.noise_shapes(x)]
    z = half(x, *noise)
    logits = head(z)
    feeds = {"x": x, **{f"noise_{i}": drawn for i, drawn in enumerate(noise)}}
    refuse_other("encoder", z.numpy(), _run("encoder", encoder, feeds))
    answer = _run("head", cloud, {"z": z})
    refuse_other("head", logits.numpy(), answer)
    return float(np.abs(logits.numpy() - answer).max())


def _run(what: str, onnx: bytes, feeds: dict[str, Tensor]) -> np.ndarray[Any, Any]:
    try:
        runtime = session(onnx)
        parts = [
            runtime.run(None, {name: fed[part].numpy() for name, fed in feeds.items()})[0]
            for part in (slice(1), slice(1, None))
        ]
        return np.concatenate(parts)
    except Exception as error:  # ONNX Runtime's own errors have no common base
        raise ConfigError(
            f"expected ONNX Runtime to run the {what}, but got {type(error).__name__}: "
            f"{next(iter(str(error).splitlines()), '')}; change that layer, or cut elsewhere"
        ) from error


def refuse_other(
    what: str,
    ours: np.ndarray[Any, Any],
    theirs: np.ndarray[Any, Any],
    runtime: str = "ONNX Runtime",
) -> None:
    """Refuse numbers of another runtime that are not those of PyTorch, up to rounding.

    Raises:
        ConfigError: another type, another shape, or numbers that differ.
    """
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        raise ConfigError(
            f"expected {ours.dtype} of shape {ours.shape} from the {what} in {runtime}, as in "
            f"PyTorch, but got {theirs.dtype} of shape {theirs.shape}; a layer of it exports "
            "wrongly, so change that layer, or cut elsewhere"
        )
    close = np.abs(ours - theirs) <= _TOLERANCE * max(1.0, float(np.abs(ours).max()))
    if (~close).mean() > _EXCEPTIONS:  # NaN is close to nothing
        raise ConfigError(
            f"expected {runtime} to agree with PyTorch on the {what}, but {(~close).mean():.1%} "
            "of its numbers differ; a layer of it exports wrongly, or mixes the samples of a batch"
        )
