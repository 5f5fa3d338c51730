"""Attributes of the inputs that are nobody's business: how well they are read from z."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mixcon.attacks.base import OnStep
from mixcon.audit.records import SecretRecord
from mixcon.data import Attribute
from mixcon.metrics import bootstrap_interval, label_leakage

__all__ = ["read_secret"]


def read_secret(
    name: str,
    own: tuple[Tensor, Attribute, Tensor],
    seen: tuple[Tensor, Attribute, Tensor],
    maximal_leakage: float | None,
    *,
    seed: int,
    on_step: OnStep,
) -> SecretRecord:
    """Train a probe on the attacker's own samples, and let it read the attribute of others.

    Args:
        name: of the attribute.
        own: z of the attacker's samples (M, ...), their attribute, their classes (M,).
        seen: z of test samples (N, ...), their attribute, the classes that the head sees (N,).
        maximal_leakage: bits that are proved of one release, if any.
        seed: of the probe.
        on_step: told about its training.
    """
    z, attribute, classes = own
    others, truth, predicted = seen
    count = len(attribute.names)
    hits = label_leakage(
        z, attribute.values, others, truth.values, count, seed=seed, on_step=on_step
    )
    common = int(attribute.values.mode().values)
    blind = _hits(lambda _: common, predicted, truth)
    by_class = {
        number: int(attribute.values[classes == number].mode().values)
        for number in classes.unique().tolist()
    }
    from_class = _hits(lambda number: by_class.get(number, common), predicted, truth)
    right = np.asarray(hits.cpu(), dtype=np.float64)
    likeliest = torch.bincount(truth.values, minlength=count).max().item() / len(truth.values)
    most = 1.0 if maximal_leakage is None else min(1.0, 2**maximal_leakage * likeliest)
    return SecretRecord(
        name=name,
        values=count,
        inputs=len(right),
        accuracy=float(right.mean()),
        interval=bootstrap_interval(lambda x: x.mean(-1), right),
        blind=blind,
        from_class=from_class,
        most=most,
    )


def _hits(guess: Callable[[int], int], predicted: Tensor, truth: Attribute) -> float:
    """Share of the samples of which a guess from the class is right."""
    guesses = torch.tensor([guess(number) for number in predicted.tolist()])
    return (guesses == truth.values.cpu()).float().mean().item()
