"""Maximal leakage: by how much z can raise the chance of any guess at anything about x."""

from __future__ import annotations

import math

import torch

from mixcon.errors import ConfigError

__all__ = [
    "bounded_gaussian_leakage",
    "flipped_bits_leakage",
    "laplace_box_leakage",
    "noisy_sphere_leakage",
    "word_leakage",
]

_POINTS = 20_001  # of the integral over the radius
_WIDTHS = 12.0  # standard deviations to either side of the integrand's peak


def word_leakage(words: float) -> float:
    """At most log2 M bits of a deterministic z out of M words; equal to it if all occur.

    Maximal leakage is log2 of the sum over z of the largest probability that any x gives it
    (Issa, Wagner and Kamath, "An Operational Approach to Information Leakage", IEEE Transactions
    on Information Theory, 2020, Theorem 1). It holds for every distribution of x, every attacker
    and every secret that depends on x alone: seeing z multiplies the chance of guessing the secret
    by at most 2^bits. For a repeat of the same x a deterministic z leaks nothing more.

        L = log2 sum_z max_x p(z | x) <= log2 M

    Args:
        words: how many different z there are, at least 1.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1.

    Cost: a closed form.
    """
    if not words >= 1:
        raise ConfigError(f"expected 1 word or more, but got {words}")
    return math.log2(words)


def flipped_bits_leakage(bits: int, flip: float, repeats: int = 1) -> float:
    """Of a word of `bits` bits of which each is flipped with probability `flip`, in bits.

    n log2(2 (1 - p)) for one release: each bit is a binary symmetric channel, and leakage adds up
    over independent channels. For k releases of one x the number of ones of each bit is what
    counts, which is binomial: n log2 sum_j C(k, j) max(p^j q^(k-j), p^(k-j) q^j).

        L = n log2 sum_j C(k, j) max(p^j q^(k-j), p^(k-j) q^j),   q = 1 - p

    Args:
        bits: n, at least 1.
        flip: p, in [0, 0.5].
        repeats: k, how often the same x is released, flips drawn anew.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1; the
    sum for k releases is mixcon's own.

    Cost: a closed form.
    """
    if not 0 <= flip <= 0.5:
        raise ConfigError(f"expected flip in [0, 0.5], but got {flip}")
    most = (max(j, repeats - j) for j in range(repeats + 1))
    chances = (
        math.comb(repeats, j) * (1 - flip) ** more * flip ** (repeats - more)
        for j, more in enumerate(most)
    )
    return bits * math.log2(math.fsum(chances))


def noisy_sphere_leakage(numbers: int, sigma: float, repeats: int = 1) -> float:
    """Of a representation of unit L2 norm with Gaussian noise, in bits.

    log2 of the integral over z of the largest density that a point of the unit sphere gives it.
    That point lies in the direction of z, so the integral runs over the radius alone:

        A / (2 pi sigma^2)^(n/2) * int r^(n-1) exp(-(r - 1)^2 / (2 sigma^2)) dr,

    with A the area of the sphere. Exact if every direction occurs, else an upper bound. The mean of
    k releases of one x is all that they say together, so they count as one with sigma / sqrt(k).

    Args:
        numbers: n, how many numbers leave, at least 1.
        sigma: standard deviation of the noise of each, > 0.
        repeats: k, how often the same x is released, noise drawn anew.

    Returns:
        Bits; infinite for sigma 0.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1; the
    integral is mixcon's own.

    Cost: an integral of 20,001 points.
    """
    if sigma == 0:
        return math.inf
    sigma = sigma / math.sqrt(repeats)
    peak = (1 + math.sqrt(1 + 4 * (numbers - 1) * sigma**2)) / 2
    low = max(0.0, peak - _WIDTHS * sigma)
    radius = torch.linspace(low, peak + _WIDTHS * sigma, _POINTS, dtype=torch.float64)
    exponent = torch.xlogy(numbers - 1, radius) - (radius - 1).square() / (2 * sigma**2)
    exponent[[0, -1]] -= math.log(2)  # the trapezoidal rule
    step = float(radius[1] - radius[0])
    integral = float(torch.logsumexp(exponent, 0)) + math.log(step)
    area = math.log(2) + numbers / 2 * math.log(math.pi) - math.lgamma(numbers / 2)
    return (area + integral - numbers / 2 * math.log(2 * math.pi * sigma**2)) / math.log(2)


def laplace_box_leakage(numbers: int, scale: float, reach: float = 1.0) -> float:
    """Of numbers in [-reach, reach] with Laplace noise each, in bits.

    n log2(1 + reach / b): for each number the largest density is 1 / (2 b) inside of the interval
    and falls off outside of it. Unit L2 norm keeps every number within [-1, 1], so this bounds it.

        L <= n log2(1 + reach / b)

    Args:
        numbers: n, how many numbers leave.
        scale: b of the noise, > 0.
        reach: the largest absolute value of a number.

    Returns:
        Bits; infinite for scale 0.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1; the
    integral is mixcon's own.

    Cost: a closed form.
    """
    return numbers * math.log2(1 + reach / scale) if scale else math.inf


def bounded_gaussian_leakage(
    numbers: int, reach: float, narrowest: float, widest: float = 1.0
) -> float:
    """Of Gaussian numbers whose means and deviations depend on x within limits, in bits.

    n log2 of the integral over a number of the largest density that any mean in [-reach, reach]
    and any deviation s in [narrowest, widest] gives it. Inside the interval that is of s =
    narrowest; at a distance t outside of it s = t, as far as it may. With a and b the narrowest
    and widest deviation the integral is

        1 + 2 reach / (a sqrt(2 pi)) + 2 ln(b / a) / sqrt(2 pi e).

    It adds up over numbers and over repeats, and no mutual information exceeds it.

    Args:
        numbers: n, how many numbers leave.
        reach: largest absolute value of a mean.
        narrowest: least standard deviation, > 0.
        widest: largest.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1; the
    integral is mixcon's own.

    Cost: a closed form.
    """
    inside = 2 * reach / (narrowest * math.sqrt(2 * math.pi))
    outside = 1 + 2 * math.log(widest / narrowest) / math.sqrt(2 * math.pi * math.e)
    return numbers * math.log2(inside + outside)
