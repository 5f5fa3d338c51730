"""What an attacker without z can put forward: the floor under every leakage."""

from __future__ import annotations

from torch import Tensor

__all__ = ["class_mean", "global_mean"]


def global_mean(auxiliary: Tensor, count: int) -> Tensor:
    """The mean auxiliary sample, `count` times: (M, ...) to (count, ...)."""
    return auxiliary.mean(0, keepdim=True).expand(count, *auxiliary.shape[1:])


def class_mean(auxiliary: Tensor, auxiliary_labels: Tensor, predicted: Tensor) -> Tensor:
    """The mean auxiliary sample of each predicted class: what the label alone gives away.

    Args:
        auxiliary: the attacker's own samples, (M, ...).
        auxiliary_labels: their classes, (M,).
        predicted: the class that the system reveals for each victim, (N,).

    Returns:
        (N, ...). A class without auxiliary samples gets the global mean.
    """
    guesses = global_mean(auxiliary, len(predicted)).clone()
    for label in predicted.unique():
        members = auxiliary_labels == label
        if members.any():
            guesses[predicted == label] = auxiliary[members].mean(0)
    return guesses
