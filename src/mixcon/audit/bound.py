"""A bound that stands beside the attacks, for channels that add noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mixcon.attacks.base import OnStep
from mixcon.audit.records import BoundRecord
from mixcon.bounds import unbiased_error_bound
from mixcon.channels import parts
from mixcon.split import SplitModel

__all__ = ["bound"]

_PROBES = 32
_AT_ONCE = 16  # so many victims are told of as one step


def bound(model: SplitModel, originals: Tensor, on_step: OnStep = lambda _: None) -> BoundRecord:
    """The least mean squared error of any unbiased attacker, image by image (dFIL).

    What follows the first noise cannot undo it, so it is left out. Before the noise the bound
    wants a smooth map: normalization is one, and dropout only takes more away. After any other
    channel, without noise, or where it is infinite, it says nothing.

    Source: Maeng et al., NeurIPS 2023; see `mixcon.bounds.unbiased_error_bound`.
    """
    before: list[nn.Module] = []
    for part in parts(model.channel):
        noise = getattr(part, "noise_scale", None)
        if noise is not None:
            return _record(nn.Sequential(model.encoder, *before), originals, noise, on_step)
        if not getattr(part, "smooth", False):
            break
        if not getattr(part, "draws", None):  # dropout only takes more away
            before.append(part)
    return BoundRecord(vacuous=True, mse=None)


def _record(smooth: nn.Module, originals: Tensor, noise: float, on_step: OnStep) -> BoundRecord:
    if noise == 0:
        return BoundRecord(vacuous=True, mse=None)
    like = next(smooth.parameters())
    parts, bounds = originals.to(like).split(_AT_ONCE), []
    for done, part in enumerate(parts, 1):
        with torch.enable_grad():
            bounds.append(unbiased_error_bound(smooth, part, noise, probes=_PROBES))
        on_step(done / len(parts))
    found = torch.cat(bounds)
    finite = found[found.isfinite()]
    if not len(finite):
        return BoundRecord(vacuous=True, mse=None)
    return BoundRecord(vacuous=False, mse=finite.mean().item())
