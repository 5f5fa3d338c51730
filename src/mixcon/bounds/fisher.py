"""A bound beside the attacks: the Fisher information that a noisy representation carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.func import vjp, vmap

from mixcon._fused import without_fused_kernels
from mixcon.errors import ConfigError
from mixcon.metrics._samples import check_samples

__all__ = ["fisher_information_leakage", "unbiased_error_bound"]

Represent = Callable[[Tensor], Tensor]

_SAMPLES = 64  # at once
_NUMBERS = 2**22  # in one batch of derivatives: 16 MiB of float32


def unbiased_error_bound(
    represent: Represent, inputs: Tensor, noise: float, *, probes: int | None = None
) -> Tensor:
    """A lower bound on the mean squared error of every unbiased attacker, per sample: (N,).

    For z = h(x) + noise, whatever the attacker computes from z, in the metric `mse`:

        E |x_hat - x|^2 / d  >=  1 / dFIL(x),   if E x_hat = x near x.

    A real attack knows what inputs look like and is *biased*: it may fall below the bound, as the
    class mean does where the noise is strong. So the bound is a yardstick and no guarantee. It is
    0 without noise, where it says nothing (vacuous), and infinite where z does not change with x.

    Args:
        represent: the deterministic part h of what is released, in evaluation mode.
        inputs: where to bound, (N, ...).
        noise: as in `fisher_information_leakage`; 0 for none.
        probes: as in `fisher_information_leakage`.

    Raises:
        ConfigError: inputs that are no batch, negative or infinite noise, or fewer than one probe.

    Source: Maeng et al., "Bounding the Invertibility of Privacy-preserving Instance Encoding
    using Fisher Information", NeurIPS 2023.

    Cost: as `fisher_information_leakage`.
    """
    check_samples("inputs", inputs)
    if noise == 0:
        return torch.zeros(len(inputs), dtype=inputs.dtype, device=inputs.device)
    return 1 / fisher_information_leakage(represent, inputs, noise, probes=probes)


@torch.no_grad()
def fisher_information_leakage(
    represent: Represent, inputs: Tensor, noise: float, *, probes: int | None = None
) -> Tensor:
    """The diagonal Fisher information leakage, dFIL, of each sample: (N, ...) to (N,).

    It is the trace of the Fisher information of x in z, over d. With J the Jacobian of h at x,
    and noise drawn for each number by itself,

        trace = |J|_F^2 / noise^2

    both for Gaussian noise of standard deviation `noise` and for Laplace noise of scale `noise`
    (density exp(-|t| / noise) / (2 noise)). The smaller side of J is walked: its rows, or its
    columns.

    Args:
        represent: the deterministic part h of what is released, (N, ...) to (N, ...), each sample
            by itself, differentiable almost everywhere: no rounding. What happens to z after the
            noise (rounding, dropping) can only lower the information, and may be left out.
        inputs: (N, ...), d numbers each.
        noise: standard deviation of Gaussian noise, or scale of Laplace noise, > 0.
        probes: estimate the trace without bias from this many random directions (Hutchinson)
            instead of walking them all; for large inputs.

    Raises:
        ConfigError: inputs that are no batch, noise that is not positive and finite, or fewer than
            one probe.

    Source: Maeng et al., "Bounding the Invertibility of Privacy-preserving Instance Encoding using
    Fisher Information", NeurIPS 2023.

    Cost: a Jacobian for each input: as many backward passes as the smaller of x and z has numbers,
    or as there are probes.
    """
    check_samples("inputs", inputs)
    if not 0 < noise < float("inf"):
        raise ConfigError(f"expected noise to be a finite number > 0, but got {noise!r}")
    if probes is not None and probes < 1:
        raise ConfigError(f"expected 1 probe or more, but got {probes!r}")
    with without_fused_kernels():
        parts = [_information(represent, part, noise, probes) for part in inputs.split(_SAMPLES)]
    return torch.cat(parts) / inputs.shape[1:].numel()


def _information(represent: Represent, x: Tensor, noise: float, probes: int | None) -> Tensor:
    """The squared Frobenius norm of the Jacobian over the noise, (N, ...) to (N,)."""
    z, pull = vjp(represent, x)[:2]
    if z[0].numel() <= x[0].numel():
        side, derive = z, pull
    else:  # u -> u J is linear: its own transpose takes x to J x, as forward mode would
        side, derive = x, vjp(lambda u: pull(u)[0], torch.zeros_like(z))[1]
    at_once = max(1, _NUMBERS // max(x.numel(), z.numel()))
    total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for directions in _directions(side, at_once, probes):
        derived = vmap(derive)(directions.expand(-1, *side.shape))[0]
        # Over the noise before it is squared: representations and noise may both be tiny.
        total += (derived / noise).flatten(2).square().sum((0, 2))
    return total


def _directions(side: Tensor, at_once: int, probes: int | None) -> Iterator[Tensor]:
    """Directions whose squared derivatives add up to the trace, (K, 1, ...) like one of `side`."""
    width = side[0].numel()
    generator = torch.Generator(side.device).manual_seed(0)
    for part in torch.arange(probes or width, device=side.device).split(at_once):
        rows = torch.zeros(len(part), width, dtype=side.dtype, device=side.device)
        if probes is None:
            rows.scatter_(1, part[:, None], 1)
        else:
            signs = torch.randint(2, rows.shape, generator=generator, device=side.device)
            rows += (2 * signs - 1) / probes**0.5
        yield rows.view(-1, 1, *side.shape[1:])
