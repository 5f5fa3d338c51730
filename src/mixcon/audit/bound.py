"""A bound that stands beside the attacks, for channels that add noise."""

from __future__ import annotations

from statistics import fmean

import torch
from torch import Tensor, nn

from mixcon._clock import each_step
from mixcon.attacks.base import OnStep
from mixcon.audit.records import BoundRecord
from mixcon.bounds import neighborhood_error_bound, unbiased_error_bound
from mixcon.channels import parts
from mixcon.kinds import Kind
from mixcon.split import SplitModel

__all__ = ["bound"]

_PROBES = 32
_AT_ONCE = 16  # so many victims are told of as one step
_STEP = 1e-2  # of a difference, in deviations of the inputs
_LOOKS = 8  # random directions
_MORE = 1.5  # times the derivative: bends between two inputs make a difference, too


def bound(
    model: SplitModel,
    originals: Tensor,
    on_step: OnStep = lambda _: None,
    *,
    box: tuple[float, float] | None = None,
) -> BoundRecord:
    """The least mean squared error of any unbiased attacker, image by image (dFIL).

    And that of any attacker at all around these inputs, where they have a box (van Trees).

    Of texts neither says anything, for no attacker takes a token for any number.

    What follows the first noise cannot undo it, so it is left out. Before the noise the bound
    wants a smooth map: normalization is one, and dropout only takes more away. After any other
    channel, without noise, where it is infinite, or where the encoder answers a small change of
    the input by more than its derivative (it rounds, or hides a part from gradients), it says
    nothing.

    Source: Maeng et al., NeurIPS 2023; see `mixcon.bounds.unbiased_error_bound` and
    `neighborhood_error_bound`.
    """
    if Kind.of_samples(originals) is Kind.TEXT:
        return BoundRecord(vacuous=True, mse=None)
    like = next(model.parameters())
    before: list[nn.Module] = []
    for part in parts(model.channel):
        noise = getattr(part, "noise_scale", None)
        if noise is not None:
            smooth = nn.Sequential(model.encoder, *before)
            return _record(smooth, originals.to(like), noise, on_step, box)
        if not getattr(part, "smooth", False):
            break
        if not getattr(part, "draws", None):  # dropout only takes more away
            before.append(part)
    return BoundRecord(vacuous=True, mse=None)


def _record(
    smooth: nn.Module,
    originals: Tensor,
    noise: float,
    on_step: OnStep,
    box: tuple[float, float] | None,
) -> BoundRecord:
    if noise == 0 or not _derivable(smooth, originals[:_AT_ONCE]):
        return BoundRecord(vacuous=True, mse=None)
    parts, bounds, around = originals.split(_AT_ONCE), [], []
    for _, part in zip(each_step(len(parts), on_step), parts, strict=False):
        with torch.enable_grad():
            bounds.append(unbiased_error_bound(smooth, part, noise, probes=_PROBES))
            if box:
                near = neighborhood_error_bound(smooth, part, noise, box=box, probes=_PROBES)
                around += len(part) * [near]
    found = torch.cat(bounds)
    finite = found[found.isfinite()]
    if not len(finite):
        return BoundRecord(vacuous=True, mse=None)
    near_by = fmean(around) if around else None
    return BoundRecord(vacuous=False, mse=finite.mean().item(), neighborhood_mse=near_by)


def _derivable(smooth: nn.Module, x: Tensor) -> bool:
    """Whether the derivative tells how the answer moves: it is compared with differences."""
    generator = torch.Generator().manual_seed(0)

    def signs(like: Tensor) -> Tensor:
        drawn = torch.randint(2, like.shape, generator=generator)
        return (2 * drawn - 1).to(like)

    inputs = x.detach().requires_grad_()
    with torch.enable_grad():
        z = smooth(inputs)
    if not z.requires_grad:
        return False
    step = _STEP * x.std().clamp_min(torch.finfo(x.dtype).tiny)
    told, moved = [], []
    for _ in range(_LOOKS):
        across, along = signs(z), signs(x)
        (slope,) = torch.autograd.grad(z, inputs, across, retain_graph=True, materialize_grads=True)
        with torch.no_grad():
            there, back = smooth(x + step * along), smooth(x - step * along)
        told.append((slope * along).flatten(1).sum(1))
        moved.append((across * (there - back)).flatten(1).sum(1) / (2 * step))
    lost = torch.finfo(x.dtype).eps * there.flatten(1).norm(dim=1) / step  # by rounding
    sizes = [each.double().square().mean().sqrt() for each in map(torch.stack, (told, moved))]
    return bool(sizes[1] <= _MORE * sizes[0] + lost.mean())
