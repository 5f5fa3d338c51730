"""What a number of bits says of naming one input among many."""

from __future__ import annotations

import math

__all__ = ["guess_by_information", "guess_by_leakage"]


def guess_by_leakage(bits: float, candidates: int) -> float:
    """The largest chance of naming x among equally likely candidates, from maximal leakage.

    2^bits / N, since seeing z multiplies the chance 1/N of a blind guess by at most 2^bits.

        P(right) <= 2^bits / N

    Args:
        bits: maximal leakage of the release.
        candidates: N, at least 1.

    Returns:
        A probability in (0, 1]; 1 where the bound says nothing.

    Source: Issa, Wagner and Kamath, IEEE Transactions on Information Theory 2020, Theorem 1.

    Cost: a closed form.
    """
    return float(2.0 ** min(bits - math.log2(candidates), 0.0))


def guess_by_information(bits: float, candidates: int, entropy: float | None = None) -> float:
    """The largest chance of naming x, or an attribute of it, from mutual information.

    Fano's inequality solved for the least error e. Of an attribute S of x, I(S; Z) <= I(X; Z).

        h(e) + e log2(N - 1) >= H - I,   P(right) = 1 - e

    Args:
        bits: I(X; Z), for x drawn from the candidates.
        candidates: N, at least 2; of an attribute the number of its values.
        entropy: H, in bits; log2 N, of equally likely candidates, by default.

    Returns:
        A probability in (0, 1]; 1 where the bound says nothing.

    Source: Fano's inequality: Cover and Thomas, Elements of Information Theory, Theorem 2.10.1.

    Cost: a bisection of 60 steps.
    """
    wanted = (math.log2(candidates) if entropy is None else entropy) - bits
    if wanted <= 0:
        return 1.0
    low, high = 0.0, 1 - 1 / candidates  # where the left side rises from 0 to log2 N
    for _ in range(60):
        error = (low + high) / 2
        if _entropy(error) + error * math.log2(candidates - 1) < wanted:
            low = error
        else:
            high = error
    return 1 - low


def _entropy(p: float) -> float:
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q > 0)
