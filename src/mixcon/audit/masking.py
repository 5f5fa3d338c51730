"""Does the defense hide information, or only the gradient from the attacks that follow it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch
from torch import Tensor

from mixcon.attacks import Rmle, WhiteBox
from mixcon.attacks.base import OnStep
from mixcon.audit.records import AttackRecord, MaskingRecord
from mixcon.metrics import measure

__all__ = ["masking"]

_SAMPLE = 16  # victims on which attacks are repeated in another way
_SLACK = 0.02  # a difference in similarity below this is nothing
_MUCH = 0.1


def masking(
    attack: Rmle,
    knowledge: WhiteBox,
    z: Tensor,
    originals: Tensor,
    records: Sequence[AttackRecord],
    metric: str,
    on_step: OnStep = lambda _: None,
) -> list[MaskingRecord]:
    """Signs of gradient masking (Athalye et al., ICML 2018).

    Only the report learns of them: no attack is chosen by what is found here.

    Args:
        attack: with its settings chosen.
        knowledge: what it knows.
        z: representations of the victims, (N, ...).
        originals: the victims, (N, *shape).
        records: what the attacks of the audit got.
        metric: the similarity, at most 1, that is compared.
        on_step: told about progress.
    """
    few, truth = z[:_SAMPLE], originals[:_SAMPLE]

    def score(variant: Rmle, before: int) -> float:
        torch.manual_seed(0)
        found = variant.fit(knowledge, lambda share: on_step((before + share) / 3))(few).cpu()
        return measure(found, truth)[metric].mean().item()

    plain, short = score(attack, 0), score(attack.scaled(0.25), 1)
    relative = attack.residual == "relative"
    rescaled = score(replace(attack, residual="whitened" if relative else "relative"), 2)
    found = [
        _sign("More steps make the white-box attack worse", short - plain, _SLACK, short, plain),
        _sign("Another scale of the residual helps it", rescaled - plain, _MUCH, plain, rescaled),
    ]
    means = {r.attack: fmean(r.leakage[metric]) for r in records}
    white = max((means[n] for n in ("rmle", "gauss-newton") if n in means), default=None)
    if white is not None and "decoder" in means:
        gain = means["decoder"] - white
        text = "A decoder without the weights beats the white-box attacks"
        found.append(_sign(text, gain, _SLACK, white, means["decoder"]))
    if "rmle-paper" in means:
        best = max(means.values())
        text = "The paper's attack of fixed steps misses what others find"
        gap = best - means["rmle-paper"]
        found.append(_sign(text, gap, 2 * _MUCH, means["rmle-paper"], best))
    return found


def _sign(text: str, gap: float, limit: float, before: float, after: float) -> MaskingRecord:
    return MaskingRecord(sign=text, found=gap > limit, weaker=before, stronger=after)
