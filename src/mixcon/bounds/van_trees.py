"""The Fisher bound for every attacker, biased ones too: van Trees' inequality."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.bounds.fisher import Represent, fisher_information_leakage
from mixcon.errors import ConfigError

__all__ = ["bayes_error_bound", "neighborhood_error_bound"]

_POINTS = 2001  # of the table that turns uniform numbers into those of the prior


def bayes_error_bound(
    represent: Represent,
    drawn: Tensor,
    noise: float,
    prior_information: float,
    *,
    probes: int | None = None,
) -> float:
    """A lower bound on the mean squared error of every attacker, on average over a prior.

    For z = h(x) + noise and x drawn from a density p that the attacker may know,

        E |x_hat - x|^2 / d  >=  1 / (E dFIL(x) + J(p) / d),    J(p) = E |grad log p(x)|^2.

    Nothing is assumed of the attacker, biased or not. Assumed are that p is differentiable and
    falls to 0 at the edge of where it lives, and what `fisher_information_leakage` assumes of h
    and of the noise. Reached by a Gaussian prior and an orthogonal encoder.

    Args:
        represent: the deterministic part h of what is released.
        drawn: samples of the prior, (N, ...), that estimate the expectation.
        noise: as in `fisher_information_leakage`; 0 for none.
        prior_information: J(p) / d, the information that the prior itself has on each number, such
            as 1 / s^2 of independent Gaussian numbers of deviation s.
        probes: as in `fisher_information_leakage`.

    Returns:
        In the metric `mse`; 0 without noise, where it says nothing.

    Raises:
        ConfigError: the information of the prior is no finite number > 0; else as
            `fisher_information_leakage`.

    Source: Gill and Levit, "Applications of the van Trees inequality: a Bayesian Cramer-Rao
    bound", Bernoulli 1995, Eq. 11 with B = C = 1.

    Cost: that of `fisher_information_leakage` for the samples drawn.
    """
    if not 0 < prior_information < math.inf:
        raise ConfigError(
            f"expected the prior's information as a finite number > 0, but got {prior_information}"
        )
    if noise == 0:
        return 0.0
    leaked = fisher_information_leakage(represent, drawn, noise, probes=probes)
    return 1 / (leaked.double().mean().item() + prior_information)


def neighborhood_error_bound(
    represent: Represent,
    inputs: Tensor,
    noise: float,
    *,
    box: tuple[float, float],
    reach: float = 0.25,
    probes: int | None = None,
) -> float:
    """The same over inputs around those at hand, so that no prior of inputs has to be known.

    Each number is moved within `reach` of an input's own, by the density that is proportional to
    cos^2 and has the least information for its reach, (pi / reach)^2. The attacker may know the
    input that was moved, and everything but how. So however it works, it errs by at least so much
    on average over these neighborhoods: on some inputs there it errs more. Of the unmoved inputs
    themselves, or of an attacker who knows that inputs are never moved so, it says nothing.

        E |x_hat - x|^2 / d >= 1 / ( E dFIL(x) + (pi / reach)^2 ),   x moved within reach by cos^2

    Args:
        represent: as in `bayes_error_bound`.
        inputs: (N, ...) inside the box.
        noise: as in `bayes_error_bound`.
        box: smallest and largest value of an input; neighborhoods at its edge lie inside of it.
        reach: in units of the box, in (0, 0.5].
        probes: as in `fisher_information_leakage`.

    Raises:
        ConfigError: a reach out of range; else as `bayes_error_bound`.

    Source: Gill and Levit, Applications of the van Trees inequality, Bernoulli 1995; the
    neighborhoods are mixcon's own.

    Cost: that of `fisher_information_leakage` for one moved copy of each input.
    """
    if not 0 < reach <= 0.5:
        raise ConfigError(f"expected reach in (0, 0.5], but got {reach}")
    low, high = box
    width = reach * (high - low)
    moved = inputs.clamp(low + width, high - width) + width * _cosine_squared(inputs)
    return bayes_error_bound(represent, moved, noise, (math.pi / width) ** 2, probes=probes)


def _cosine_squared(like: Tensor) -> Tensor:
    """Numbers in [-1, 1] of the density cos^2(pi t / 2), always the same."""
    generator = torch.Generator().manual_seed(0)
    at = torch.linspace(-1, 1, _POINTS, dtype=torch.float64)
    below = (at + 1) / 2 + torch.sin(math.pi * at) / (2 * math.pi)
    uniform = torch.rand(like.shape, generator=generator, dtype=torch.float64)
    place = torch.searchsorted(below, uniform).clamp(1, _POINTS - 1)
    share = (uniform - below[place - 1]) / (below[place] - below[place - 1])
    return (at[place - 1] + share * (at[1] - at[0])).to(like)
