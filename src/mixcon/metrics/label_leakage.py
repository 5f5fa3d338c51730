"""Label leakage: how well the class of an input can be read from its representation alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError
from mixcon.metrics._classifier import OnStep, check_labeled, fit_classifier

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
    """
    check_labeled("auxiliary representations", auxiliary_z, auxiliary_labels, classes)
    if z.shape[1:] != auxiliary_z.shape[1:] or labels.shape != z.shape[:1]:
        raise ConfigError(
            f"expected representations of shape (N, {tuple(auxiliary_z.shape[1:])}) and one label "
            f"each, but got {tuple(z.shape)} and labels of shape {tuple(labels.shape)}"
        )
    std, mean = torch.std_mean(auxiliary_z.flatten(1).float(), 0)
    scale = std.where(std > 0, 1.0)
    known, seen = ((part.flatten(1).float() - mean) / scale for part in (auxiliary_z, z))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        probe = _probe(known.shape[1], classes).to(known.device)
    fit_classifier(probe, known, auxiliary_labels, seed=seed, steps=steps, lr=3e-3, on_step=on_step)
    read: Tensor = probe(seen).argmax(1)
    return (read == labels.to(seen.device)).float()


def _probe(size: int, classes: int) -> nn.Sequential:
    hidden = min(256, max(16, _WEIGHTS // size))
    return nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, classes))
