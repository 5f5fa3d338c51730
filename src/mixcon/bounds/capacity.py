"""Capacity: the most mutual information that a channel carries, whatever x is distributed as."""

from __future__ import annotations

import math

__all__ = ["flipped_bits_capacity", "laplace_capacity", "noisy_sphere_capacity"]


def noisy_sphere_capacity(numbers: int, sigma: float, repeats: int = 1) -> float:
    """Of a representation of unit L2 norm with Gaussian noise: an upper bound, in bits.

    n/2 log2(1 + 1 / (n sigma^2)), the capacity under a mean power of 1 (Shannon, 1949), which unit
    norm implies. I(X; Z) is at most this for every distribution of x.

        I(X; Z) <= n/2 log2(1 + k / (n sigma^2))

    Args:
        numbers: n, how many numbers leave.
        sigma: standard deviation of the noise of each.
        repeats: how often the same x is released, noise drawn anew; as one with sigma / sqrt(k).

    Returns:
        Bits; infinite for sigma 0.

    Source: Shannon, Communication in the Presence of Noise, Proceedings of the IRE 1949.

    Cost: a closed form.
    """
    return numbers / 2 * math.log2(1 + repeats / (numbers * sigma**2)) if sigma else math.inf


def laplace_capacity(numbers: int, scale: float) -> float:
    """Of a representation of unit L2 norm with Laplace noise: an upper bound, in bits.

    h(Z) is at most that of a Gaussian of the same power, 1/n + 2 b^2 a number, and h(Z | X) is the
    noise's own, n log2(2 e b).

        I(X; Z) <= n ( log2(2 pi e (1/n + 2 b^2)) / 2 - log2(2 e b) )

    Args:
        numbers: n, how many numbers leave.
        scale: b of the noise of each.

    Returns:
        Bits; infinite for scale 0.

    Source: maximum entropy for a given power: Cover and Thomas, Elements of Information Theory,
    Theorem 8.6.5.

    Cost: a closed form.
    """
    if not scale:
        return math.inf
    power = 1 / numbers + 2 * scale**2
    return numbers * (math.log2(2 * math.pi * math.e * power) / 2 - math.log2(2 * math.e * scale))


def flipped_bits_capacity(bits: int, flip: float) -> float:
    """Of a word of `bits` bits of which each is flipped with probability `flip`, in bits.

    n (1 - H(p)), the capacity of n binary symmetric channels.

        I(X; Z) <= n (1 - H(p))

    Source: Cover and Thomas, Elements of Information Theory, section 7.1.4.

    Cost: a closed form.
    """
    entropy = -sum(p * math.log2(p) for p in (flip, 1 - flip) if p)
    return bits * (1 - entropy)
