"""A bound beside the attacks: the Fisher information that a noisy representation carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mixcon._fused import without_fused_kernels
from mixcon.errors import ConfigError
from mixcon.metrics._samples import check_samples

__all__ = ["fisher_information_leakage", "unbiased_error_bound"]

Represent = Callable[[Tensor], Tensor]

_SAMPLES = 64  # at once


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
    columns, which takes second derivatives.

    Args:
        represent: the deterministic part h of what is released, (N, ...) to (N, ...), each sample
            by itself, differentiable almost everywhere: no rounding. What happens to z after the
            noise (rounding, dropping) can only lower the information, and may be left out.
        inputs: (N, ...), d numbers each.
        noise: standard deviation of Gaussian noise, or scale of Laplace noise, > 0.
        probes: estimate the trace without bias from this many random directions (Hutchinson)
            instead of walking them all; for large inputs, and for what cannot be derived twice.

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
    """The squared Frobenius norm of the Jacobian over the noise, (N, ...) to (N,).

    One direction after another, without `torch.func`, which own autograd functions lack.
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        z = represent(x)
        total = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        if not z.requires_grad:
            return total
        side, output, source = z, z, x
        if probes is None and z[0].numel() > x[0].numel():
            # u -> u J is linear: its own derivative takes x to J x, as forward mode would.
            source = torch.zeros_like(z, requires_grad=True)
            (output,) = torch.autograd.grad(z, x, source, create_graph=True, materialize_grads=True)
            side = x
    for direction in _directions(side, probes):
        (derived,) = torch.autograd.grad(
            output, source, direction.expand_as(side), retain_graph=True, materialize_grads=True
        )
        # Over the noise before it is squared: representations and noise may both be tiny.
        total += (derived / noise).flatten(1).square().sum(1)
    return total


def _directions(side: Tensor, probes: int | None) -> Iterator[Tensor]:
    """Directions, (1, ...) like one of `side`, whose squared derivatives add up to the trace."""
    width = side[0].numel()
    generator = torch.Generator(side.device).manual_seed(0)
    for place in range(probes or width):
        row = torch.zeros(width, dtype=side.dtype, device=side.device)
        if probes is None:
            row[place] = 1
        else:
            signs = torch.randint(2, row.shape, generator=generator, device=side.device)
            row += (2 * signs - 1) / probes**0.5
        yield row.view(1, *side.shape[1:])
