"""Label leakage: how well the class of an input can be read from its representation alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.metrics._classifier import OnStep, check_labeled, fit_classifier
from mixcon.metrics._samples import check_alike, check_class_labels, check_finite, wide

__all__ = ["label_leakage"]

_WEIGHTS = 2**20  # of the probe's first layer, at most


def label_leakage(
    auxiliary_z: Tensor,
    auxiliary_labels: Tensor,
    z: Tensor,
    labels: Tensor,
    classes: int,
    *,
    seed: int = 0,
    steps: int = 600,
    on_step: OnStep = lambda _: None,
) -> Tensor:
    """Whether a probe reads the true label of each victim from its representation: (N,), 0 or 1.

    The probe is a network with one hidden layer, trained on what the device releases of the
    attacker's own samples. It needs queries and labels, but not the head. A cloud that runs the
    head sees the label anyway: compare with the head's own accuracy.

    Args:
        auxiliary_z: released representations of auxiliary samples, (M, ...), noise included.
        auxiliary_labels: their classes, int64 (M,).
        z: released representations of the victims, (N, ...).
        labels: their true classes, int64 (N,).
        classes: number of classes.
        seed: of the training; the same seed gives the same answer.
        steps: batches of 128 samples to train on.
        on_step: told about progress.

    Raises:
        ConfigError: shapes or labels that do not fit together.
        NonFiniteError: NaN or infinity in a representation.
    """
    check_alike("representations", z, "auxiliary representations", auxiliary_z)
    check_class_labels("representations", labels, len(z))
    check_finite(auxiliary_representations=auxiliary_z, representations=z)
    check_labeled("auxiliary representations", auxiliary_z, auxiliary_labels, classes)
    known, seen = _standardized(wide(auxiliary_z).flatten(1), wide(z).flatten(1))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        probe = _probe(known.shape[1], classes).to(known.device)
    fit_classifier(probe, known, auxiliary_labels, seed=seed, steps=steps, lr=3e-3, on_step=on_step)
    read: Tensor = probe(seen).argmax(1)
    return (read == labels.to(seen.device)).float()


def _standardized(known: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """Each number by the mean and standard deviation of the known ones, float32."""
    mean = known.mean(0)
    largest = (known - mean).abs().amax(0)  # squares of tiny deviations would vanish
    known, seen = ((part - mean) / largest.where(largest > 0, 1.0) for part in (known, seen))
    std = known.std(0)
    scale = std.where(std > 0, 1.0)
    return (known / scale).float(), (seen / scale).float()


def _probe(size: int, classes: int) -> nn.Sequential:
    hidden = min(256, max(16, _WEIGHTS // size))
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, classes))
