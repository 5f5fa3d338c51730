"""What a labeled set asks of its tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mixcon.errors import DataError
from mixcon.kinds import Kind

__all__ = ["END", "check_numbers", "check_places", "check_tokens", "first_of"]

END = -1
"""Stands for the token that a text no longer has."""

_NAMED = 5  # columns, at most
_TYPES = {Kind.IMAGE: torch.uint8, Kind.VECTOR: torch.float32, Kind.SEQUENCE: torch.float32}


def check_numbers(name: str, inputs: Tensor) -> None:
    """Refuse what are no images, vectors or sequences, and numbers that are none."""
    shape = tuple(inputs.shape[1:])
    if not any(kind.fits(shape) and inputs.dtype == of for kind, of in _TYPES.items()):
        raise DataError(
            f"{name}: expected uint8 images (N, C, H, W), float32 vectors (N, d), float32 "
            "sequences (N, C, T), or a vocabulary and int64 texts (N, L), but got "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}"
        )
    if inputs.is_floating_point() and not inputs.isfinite().all():
        raise DataError(f"{name}: expected finite numbers, but got {_bad(inputs)}")
    if Kind.of_samples(inputs) is Kind.TEXT:
        raise DataError(
            f"{name}: expected sequences of numbers, but each row has a single 1; give int64 "
            "positions (N, L), and a vocabulary, and they are texts"
        )


def check_tokens(name: str, inputs: Tensor, words: int) -> None:
    """Refuse what are no texts of so many different words."""
    if inputs.dtype != torch.int64 or inputs.dim() != 2:
        raise DataError(
            f"{name}: expected int64 texts (N, L), for there is a vocabulary, but got "
            f"{inputs.dtype} of shape {tuple(inputs.shape)}"
        )
    if inputs.numel() and not END <= inputs.min() <= inputs.max() < words:
        raise DataError(
            f"{name}: expected tokens from 0 to {words - 1}, and -1 behind the end, but got "
            f"{int(inputs.min())} to {int(inputs.max())}"
        )
    ended = inputs == END
    gaps = int((ended[:, :1].any(1) | (ended[:, :-1] & ~ended[:, 1:]).any(1)).sum())
    if gaps:
        raise DataError(
            f"{name}: expected texts of a token or more, with -1 behind the last one alone, but "
            f"{gaps} have it before; leave those out"
        )


def check_places(what: str, noun: str, values: Tensor, names: Sequence[str], count: int) -> None:
    """Refuse what are no positions in names, one for each of so many samples."""
    if values.dtype != torch.int64 or values.shape != (count,):
        raise DataError(
            f"{what}: expected int64 {noun} of shape ({count},), but got {values.dtype} of shape "
            f"{tuple(values.shape)}"
        )
    if count and not 0 <= values.min() <= values.max() < len(names):
        raise DataError(
            f"{what}: expected {noun} from 0 to {len(names) - 1}, but got {int(values.min())} to "
            f"{int(values.max())}"
        )


def first_of(names: Sequence[object], most: int) -> str:
    """The first names of many, in words."""
    return ", ".join(map(str, names[:most])) + ", ..." * (len(names) > most)


def _bad(inputs: Tensor) -> str:
    """Which numbers are NaN or infinite, in words."""
    bad = ~inputs.isfinite()
    samples = f"NaN or infinity in {int(bad.flatten(1).any(1).sum())} of {len(inputs)} samples"
    if inputs.dim() != 2:
        return f"{samples}; leave those out"
    columns = bad.any(0).nonzero().flatten().tolist()
    named = first_of(columns, _NAMED)
    return f"{samples}, in column {named}; fill them in, or leave those samples out"
