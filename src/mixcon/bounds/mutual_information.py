"""A certificate of how many bits z carries about x, from samples, with the label split off."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.errors import ConfigError

__all__ = ["mutual_information_bound"]


@torch.no_grad()
def mutual_information_bound(
    noiseless: Tensor, labels: Tensor, sigma: float, *, confidence: float = 0.99
) -> float:
    """An upper bound on I(X; Z) in bits, for z = v(x) + Gaussian noise and |v(x)| <= 1.

    With the label Y of x,

        I(X; Z) <= H(Y) + sum_y p_y / 2 log2 det(I + Cov_y / sigma^2),

    since I(X; Z) <= I(X; Z, Y), and a Gaussian has the largest entropy for its covariance. Three
    things make this a certificate with finitely many samples. The entropy of Y is at most its
    cross-entropy with any fixed guess q at its distribution. log det is concave, so that at any
    fixed A, log det(I + Cov / s^2) <= log det(M^-1 / s^2) + tr(M (Cov - A)) with
    M = (s^2 I + A)^-1, and tr(M Cov) is at most the mean of (v - c)' M (v - c) for any fixed c.
    Taking q, A and c from one half of the samples, the whole bound is the expectation of a bounded
    number over the other half, which an empirical Bernstein inequality bounds (Maurer and Pontil,
    COLT 2009, Theorem 4).

    Args:
        noiseless: v, (M, ...): what would leave without noise, of samples that are drawn
            independently and have not trained the encoder; norms at most 1.
        labels: y, (M,), any function of the sample, such as its class or the model's prediction.
        sigma: standard deviation of the noise of each number, > 0.
        confidence: probability, over the draw of the samples, that the bound holds.

    Returns:
        Bits; infinite for sigma 0, or for fewer than 4 samples.

    Raises:
        ConfigError: norms above 1, or labels that do not match.

    Source: maximum entropy of the Gaussian (Cover and Thomas, Elements of Information Theory,
    Theorem 8.6.5) and Maurer and Pontil, Empirical Bernstein Bounds, COLT 2009, Theorem 4; put
    together by mixcon.

    Cost: for each class a determinant and an inverse of the size of z, in float64.
    """
    rows = noiseless.flatten(1).double()
    if len(rows) != len(labels) or float(rows.norm(dim=1).max()) > 1 + 1e-4:
        raise ConfigError("expected as many labels as representations, these of norm 1 or less")
    if not sigma or len(rows) < 4:
        return math.inf
    half = len(rows) // 2
    values = torch.empty(len(rows) - half, dtype=torch.float64, device=rows.device)
    reach = 0.0  # the largest value that any sample could give
    classes = int(labels.max()) + 1
    counts = torch.bincount(labels[:half], minlength=classes).double()
    shares = (counts + 0.5) / (counts.sum() + 0.5 * classes)
    for label in range(classes):
        constant, center, metric = _reference(rows[:half][labels[:half] == label], rows, sigma)
        chosen = labels[half:] == label
        off = rows[half:][chosen] - center
        own = constant - math.log(shares[label])
        values[chosen] = own + (off @ metric * off).sum(1) / 2
        longest = (1 + float(center.norm())) ** 2 / 2
        reach = max(reach, own + longest * float(torch.linalg.matrix_norm(metric, 2)))
    return _upper(values, reach, 1 - confidence) / math.log(2)


def _reference(own: Tensor, rows: Tensor, sigma: float) -> tuple[float, Tensor, Tensor]:
    """Of one class: the constant of its bound in nats, the center c and the metric M."""
    size = rows.shape[1]
    eye = torch.eye(size, dtype=rows.dtype, device=rows.device)
    if len(own) < 2:  # no guess: A = 0, c = 0
        return 0.0, rows.new_zeros(size), eye / sigma**2
    covariance = torch.cov(own.T, correction=0).view(size, size)
    whole = covariance + sigma**2 * eye
    metric = torch.linalg.inv(whole)
    constant = torch.logdet(whole / sigma**2) - (metric * covariance).sum()
    return float(constant) / 2, own.mean(0), metric


def _upper(values: Tensor, reach: float, risk: float) -> float:
    """With probability 1 - risk, above the expectation of values that are at most `reach`."""
    count, spread = len(values), reach - min(0.0, float(values.min()))
    log = math.log(2 / risk)
    deviation = math.sqrt(2 * float(values.var()) * log / count)
    return float(values.mean()) + deviation + 7 * spread * log / (3 * (count - 1))
