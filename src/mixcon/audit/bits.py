"""What is proved of a release in bits, out of what its channels say of themselves."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon._memory import at_once
from mixcon.audit.records import BitsRecord
from mixcon.bounds import (
    best_in_cells,
    cells,
    flipped_bits_capacity,
    flipped_bits_leakage,
    laplace_box_leakage,
    laplace_capacity,
    likeness_in_cells,
    mutual_information_bound,
    noisy_sphere_capacity,
    noisy_sphere_leakage,
)
from mixcon.channels import Channel, parts
from mixcon.data import LabeledSet
from mixcon.kinds import has_structure
from mixcon.metrics import mse, ssim
from mixcon.split import SplitModel

__all__ = ["certified_bits", "prove"]

_SAMPLES = 5000  # test samples for the certificate and the cells, fewer large ones
_NUMBERS = 2**24
_MOST = 512  # numbers: their covariances are inverted


def certified_bits(
    model: SplitModel, raw: tuple[int, ...], repeats: int = 1
) -> tuple[float | None, float | None]:
    """Maximal leakage and capacity of what leaves, in bits; None where there is no bound.

    Each channel is bounded by itself, and what follows it cannot raise it (data processing), so
    the smallest of them counts.

    Args:
        model: its channel is asked.
        raw: shape of one raw representation.
        repeats: how often the same input is released.
    """
    leakages, capacities = [], []
    shape, unit = raw, False
    for part in parts(model.channel):
        leakage, capacity = _part_bits(part, shape, unit=unit, repeats=repeats)
        leakages.append(leakage)
        capacities.append(capacity)
        unit = getattr(part, "unit_norm", False)
        shape = part.shape(shape) if isinstance(part, Channel) else shape
    return (
        min((b for b in leakages if b is not None and math.isfinite(b)), default=None),
        min((b for b in capacities if b is not None and math.isfinite(b)), default=None),
    )


def _part_bits(
    part: torch.nn.Module, shape: tuple[int, ...], *, unit: bool, repeats: int
) -> tuple[float | None, float | None]:
    draws, noise = getattr(part, "draws", None), getattr(part, "noise_scale", None)
    numbers = math.prod(shape)
    limit = getattr(part, "leakage_limit", None)  # of a channel that knows a bound of its own
    if limit is not None:
        rate = min(limit, getattr(part, "rate_limit", limit))
        return repeats * limit, repeats * rate
    words = part.word_bits(shape) if isinstance(part, Channel) else None
    flip = getattr(part, "flip_rate", None)
    if words is not None and flip:
        return (
            flipped_bits_leakage(round(words), flip, repeats),
            repeats * flipped_bits_capacity(round(words), flip),
        )
    if words is not None and draws is None:
        return words, words
    if noise is None or not unit:  # noise bounds nothing where norms are not bounded
        return None, None
    if draws == "normal":
        leakage = noisy_sphere_leakage(numbers, noise, repeats)
        return leakage, noisy_sphere_capacity(numbers, noise, repeats)
    return (
        repeats * laplace_box_leakage(numbers, noise),
        repeats * laplace_capacity(numbers, noise),
    )


@torch.no_grad()
def prove(model: SplitModel, test: LabeledSet, repeats: int = 1) -> BitsRecord:
    """Everything that is proved of a model's release.

    Args:
        model: in evaluation mode.
        test: samples that have not trained it, for the certificate and the cells; their order does
            not matter, though the certificate takes them as drawn independently.
        repeats: how often the same input is released.
    """
    some = test.mixed(at_once(_SAMPLES, test.shape, numbers=_NUMBERS))
    like = next(model.parameters())
    size = at_once(500, test.shape)
    raw = torch.cat([model.represent(x.to(like)) for x, _ in some.batches(size)])
    leakage, capacity = certified_bits(model, tuple(raw.shape[1:]), repeats)
    found = BitsRecord(
        maximal_leakage=leakage,
        capacity=capacity,
        mutual_information=_information(model, raw, some, repeats),
        repeats=repeats,
    )
    if leakage is None or any(getattr(part, "draws", None) for part in parts(model.channel)):
        return found
    released = torch.cat([model.channel(part) for part in raw.split(500)]).cpu()
    return found.model_copy(update=_cells(released, some.floats()))


def _information(model: SplitModel, raw: Tensor, some: LabeledSet, repeats: int) -> float | None:
    """The certificate, where unit norm meets Gaussian noise."""
    every, z = list(parts(model.channel)), raw
    for before, part in zip([None, *every], every, strict=False):
        noise = getattr(part, "noise_scale", None)
        if noise and part.draws == "normal" and getattr(before, "unit_norm", False):
            if z[0].numel() > _MOST:
                return None
            bits = mutual_information_bound(z, some.labels.to(z.device), noise / repeats**0.5)
            return bits if math.isfinite(bits) else None
        if getattr(part, "draws", None):
            return None
        z = torch.cat([part(piece) for piece in z.split(500)])
    return None


def _cells(z: Tensor, originals: Tensor) -> dict[str, float]:
    found: dict[str, float] = {
        "cells": int(cells(z).max()) + 1,
        "cell_inputs": len(z),
        "cell_mse": mse(best_in_cells(z, originals), originals).mean().item(),
    }
    if has_structure(originals.shape[1:]):
        best = likeness_in_cells(z, originals, steps=60)
        found["cell_ssim"] = ssim(best, originals).mean().item()
    return found
