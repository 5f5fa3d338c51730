"""What an export refuses before the work: halves that a server or a device could not run."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.serving.contract import NAME_PATTERN
from mixcon.split import SplitModel

__all__ = ["check_finite", "check_model", "check_name", "check_samples"]


def check_name(name: str) -> None:
    """Refuse a name that servers would not take.

    Raises:
        ConfigError: see there.
    """
    if not re.search(NAME_PATTERN, name):
        raise ConfigError(
            "expected a name of 1 to 128 letters, digits, '.', '_' and '-' that starts with a "
            f"letter or digit, but got {name!r}; choose another --name"
        )


def check_samples(samples: Tensor, kind: Kind) -> None:
    """Refuse samples of a kind that no device prepares.

    Raises:
        ConfigError: fewer than two, not float32, not finite, or no images where these are said.
    """
    if len(samples) < 2:
        raise ConfigError(f"expected two or more samples, but got {len(samples)}")
    if samples.dtype != torch.float32:
        raise ConfigError(
            f"expected float32 samples, which is what devices feed, but got {samples.dtype}; pass "
            "samples.float(), to an encoder that begins with the conversion if it needs another "
            "type"
        )
    if not samples.isfinite().all():
        raise ConfigError("expected finite samples, but got NaN or infinity; leave those out")
    if kind is Kind.IMAGE:
        _check_images(samples)


def _check_images(images: Tensor) -> None:
    if not Kind.IMAGE.fits(images.shape[1:]) or images.shape[1] not in (1, 3):
        raise ConfigError(
            "expected images (N, C, H, W) of C = 1 (grayscale) or 3 (RGB) channels, but got "
            f"{tuple(images.shape)}; export other inputs with kind='vector'"
        )
    low, high = images.min().item(), images.max().item()
    if low < 0 or high > 1:
        raise ConfigError(
            "expected images with values in [0, 1], which is what devices feed, but got "
            f"{low:.3g} to {high:.3g}; let the encoder begin with the normalization"
        )


def check_model(model: SplitModel, x: Tensor, classes: Sequence[str]) -> None:
    """Refuse a model that does not give float32 logits of these classes on the CPU.

    Args:
        model: in evaluation mode.
        x: a few samples, (N, ...).
        classes: name of each class.

    Raises:
        ConfigError: weights or outputs of other types, shapes or devices, or it does not run.
    """
    _check_weights(model)
    z = _checked("a representation", model.release, x)
    if z.ndim < 2 or len(z) != len(x):
        raise ConfigError(
            f"expected representations of shape ({len(x)}, ...) for {len(x)} samples, but got "
            f"{tuple(z.shape)}; let the encoder keep the batch dimension"
        )
    logits = _checked("logits", model.head, z)
    if logits.shape != (len(x), len(classes)):
        raise ConfigError(
            f"expected logits of shape ({len(x)}, {len(classes)}) for {len(x)} samples and "
            f"{len(classes)} class names, but got {tuple(logits.shape)}; name every output of the "
            "head, in order"
        )


def check_finite(z: Tensor) -> None:
    """Refuse representations that no wire format can code.

    Raises:
        ConfigError: NaN or infinity.
    """
    bad = (~z.flatten(1).isfinite().all(1)).sum().item()
    if bad:
        raise ConfigError(
            f"expected finite representations, but got NaN or infinity for {bad} of {len(z)} "
            "samples; train again, at a lower learning rate if it diverged"
        )


def _check_weights(model: SplitModel) -> None:
    for name, tensor in chain(model.named_parameters(), model.named_buffers()):
        other = tensor.is_floating_point() and tensor.dtype != torch.float32
        if other or tensor.device.type != "cpu":
            raise ConfigError(
                f"expected float32 weights on the CPU, but '{name}' is {tensor.dtype} on "
                f"{tensor.device}; export model.float().cpu()"
            )


def _checked(what: str, step: Callable[[Tensor], Any], given: Tensor) -> Tensor:
    """What a step gives: one float32 tensor."""
    try:
        found = step(given)
    except Exception as error:  # user code runs here, so anything may be raised
        raise ConfigError(
            f"expected {what} of inputs of shape {tuple(given.shape)}, but got "
            f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}; it has to work on "
            "float32 batches of any size"
        ) from error
    if not isinstance(found, Tensor) or found.dtype != torch.float32:
        raise ConfigError(
            f"expected {what} of one float32 tensor, which is what crosses the wire, but got "
            f"{found.dtype if isinstance(found, Tensor) else type(found).__name__}; give the "
            "encoder such an output, and the head logits rather than decisions"
        )
    return found
