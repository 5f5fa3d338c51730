"""What an attacker can put forward without inverting anything: the floor under every leakage."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.metrics._samples import (
    check_alike,
    check_class_labels,
    check_finite,
    check_samples,
    wide,
)

__all__ = ["class_mean", "global_mean", "nearest_neighbor"]

_CHUNK = 8192


def global_mean(auxiliary: Tensor, count: int) -> Tensor:
    """The mean auxiliary sample, `count` times: (M, ...) to (count, ...).

    Raises:
        ConfigError: no auxiliary samples.
    """
    _check_auxiliary(auxiliary)
    return auxiliary.mean(0, keepdim=True).expand(count, *auxiliary.shape[1:])


def class_mean(auxiliary: Tensor, auxiliary_labels: Tensor, predicted: Tensor) -> Tensor:
    """The mean auxiliary sample of each predicted class: what the label alone gives away.

    Args:
        auxiliary: the attacker's own samples, (M, ...).
        auxiliary_labels: their classes, (M,).
        predicted: the class that the system reveals for each victim, (N,).

    Returns:
        (N, ...). A class without auxiliary samples gets the global mean.

    Raises:
        ConfigError: no auxiliary samples, or labels that are not one integer each.
    """
    _check_auxiliary(auxiliary)
    check_class_labels("auxiliary samples", auxiliary_labels, len(auxiliary))
    check_class_labels("victims", predicted, len(predicted))
    guesses = global_mean(auxiliary, len(predicted)).clone()
    for label in predicted.unique():
        members = auxiliary_labels == label
        if members.any():
            guesses[predicted == label] = auxiliary[members].mean(0)
    return guesses


def nearest_neighbor(
    auxiliary: Tensor,
    auxiliary_labels: Tensor,
    auxiliary_z: Tensor,
    z: Tensor,
    predicted: Tensor,
) -> Tensor:
    """The auxiliary sample of the predicted class whose representation is nearest to the victim's.

    Unlike the means it needs z, and queries to represent the auxiliary samples: it is what an
    attacker gets who looks up and inverts nothing. By Euclidean distance, so that the scale of
    representations does not matter.

    Args:
        auxiliary: the attacker's own samples, (M, ...).
        auxiliary_labels: their classes, (M,).
        auxiliary_z: what the device releases of them, (M, ...).
        z: what the device releases of the victims, (N, ...).
        predicted: the class that the system reveals for each victim, (N,).

    Returns:
        (N, ...), whole auxiliary samples. A class without auxiliary samples gets the nearest of
        all classes.

    Raises:
        ConfigError: no auxiliary samples, or shapes or labels that do not fit together.
        NonFiniteError: NaN or infinity in a representation.
    """
    _check_auxiliary(auxiliary)
    check_alike("representations", z, "auxiliary representations", auxiliary_z)
    check_finite(auxiliary_representations=auxiliary_z, representations=z)
    check_class_labels("auxiliary samples", auxiliary_labels, len(auxiliary))
    check_class_labels("auxiliary representations", auxiliary_labels, len(auxiliary_z))
    check_class_labels("representations", predicted, len(z))
    rows = wide(auxiliary_z).flatten(1)
    mean = rows.mean(0)  # distances far from the origin, or tiny ones, would round away
    scale = (rows - mean).abs().max().clamp_min(torch.finfo(rows.dtype).tiny)
    known, seen = ((part.flatten(1).to(rows) - mean) / scale for part in (auxiliary_z, z))
    guesses = torch.empty_like(auxiliary[:1]).repeat(len(z), *[1] * (auxiliary.ndim - 1))
    for label in predicted.unique():
        members = (auxiliary_labels == label).nonzero().flatten()
        if not len(members):
            members = torch.arange(len(auxiliary), device=auxiliary.device)
        wanted = predicted == label
        guesses[wanted] = auxiliary[members[_nearest(seen[wanted], known, members)]]
    return guesses


def _check_auxiliary(auxiliary: Tensor) -> None:
    check_samples("auxiliary samples", auxiliary)
    if not len(auxiliary):
        raise ConfigError("expected an auxiliary sample or more, but got none")


def _nearest(seen: Tensor, known: Tensor, members: Tensor) -> Tensor:
    """For each row the position in `members` of the nearest known row, (N, m) to (N,)."""
    found = [torch.cdist(seen, known[part]).min(1) for part in members.split(_CHUNK)]
    distances = torch.stack([part.values for part in found])
    best = distances.argmin(0)
    positions = torch.stack([part.indices for part in found])
    return best * _CHUNK + positions.gather(0, best[None])[0]
