"""Attributes of the inputs that are nobody's business: how well they are read from z."""

from __future__ import annotations

from collections.abc import Callable
from math import log, log2

import numpy as np
import torch
from torch import Tensor

from mixcon.attacks.base import OnStep
from mixcon.audit.records import SecretRecord
from mixcon.bounds import guess_by_information
from mixcon.data import Attribute
from mixcon.metrics import bootstrap_interval, label_leakage

__all__ = ["read_secret"]


def read_secret(
    name: str,
    own: tuple[Tensor, Attribute, Tensor],
    seen: tuple[Tensor, Attribute, Tensor],
    maximal_leakage: float | None,
    information: float | None,
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
        information: bits of mutual information with the input that are proved likewise.
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
    shares = torch.bincount(truth.values, minlength=count).double() / len(truth.values)
    entropy = torch.special.entr(shares).sum().item() / log(2)
    bits = None if information is None else min(information, entropy)
    return SecretRecord(
        name=name,
        values=count,
        inputs=len(right),
        accuracy=float(right.mean()),
        interval=bootstrap_interval(lambda x: x.mean(-1), right),
        blind=blind,
        from_class=from_class,
        most=_most(shares.max().item(), maximal_leakage, entropy, bits, count),
        entropy=entropy,
        bits=bits,
    )


def _most(
    likeliest: float, leakage: float | None, entropy: float, bits: float | None, values: int
) -> float:
    """The share that no attacker exceeds."""
    by_leakage = 1.0 if leakage is None else likeliest * 2.0 ** min(leakage, -log2(likeliest))
    by_information = 1.0 if bits is None else guess_by_information(bits, values, entropy)
    return min(by_leakage, by_information)


def _hits(guess: Callable[[int], int], predicted: Tensor, truth: Attribute) -> float:
    """Share of the samples of which a guess from the class is right."""
    guesses = torch.tensor([guess(number) for number in predicted.tolist()])
    return (guesses == truth.values.cpu()).float().mean().item()
