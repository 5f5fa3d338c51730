"""What a number of bits says of naming one input among many."""

from __future__ import annotations

import math

__all__ = ["guess_by_information", "guess_by_leakage"]


def guess_by_leakage(bits: float, candidates: int) -> float:
    """The largest chance of naming x among equally likely candidates, from maximal leakage.

    2^bits / N, since seeing z multiplies the chance 1/N of a blind guess by at most 2^bits.

    Args:
        bits: maximal leakage of the release.
        candidates: N, at least 1.

    Returns:
        A probability in (0, 1]; 1 where the bound says nothing.
    """
    return float(2.0 ** min(bits - math.log2(candidates), 0.0))


def guess_by_information(bits: float, candidates: int) -> float:
    """The largest chance of naming x among equally likely candidates, from mutual information.

    Fano's inequality, H(e) + e log2(N - 1) >= log2 N - I, solved for the least error e.

    Args:
        bits: I(X; Z), for x drawn from the candidates.
        candidates: N, at least 2.

    Returns:
        A probability in (0, 1]; 1 where the bound says nothing.
    """
    wanted = math.log2(candidates) - bits
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
