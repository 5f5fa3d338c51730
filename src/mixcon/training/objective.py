"""What a training step minimizes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.attacks.base import frozen
from mixcon.defenses import Batch, Defense
from mixcon.split import SplitModel

__all__ = ["Objective"]


class Objective(nn.Module):
    """Model and defense in one forward pass, so that several GPUs and autocast see all of it.

    Adversaries are no part of it, so that no optimizer of the model moves them: it only asks what
    they cost.
    """

    def __init__(self, model: SplitModel, defense: Defense, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.model = model
        self.penalties = nn.ModuleList(defense.penalties)  # their buffers are kept with the model
        self._defense, self._smoothing = defense, label_smoothing

    def forward(
        self, x: Tensor, y: Tensor, share: float = 1.0, raw: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Batch | None]:
        """The loss; what to add up (loss, penalty, hits, a sign of NaN); what adversaries see.

        `share` is the part of the penalties' weight that counts so far, `raw` the representation
        if it is known.
        """
        raw = self.model.represent(x) if raw is None else raw
        z = self.model.channel(raw)
        logits = self.model.head(z)
        batch = Batch(x, y, raw, z)
        penalty = self._penalty(batch)
        penalty = penalty if share == 1 else share * penalty
        exact = logits.to(torch.promote_types(logits.dtype, torch.float32))  # not in half precision
        loss = F.cross_entropy(exact, y, label_smoothing=self._smoothing) + penalty
        hits = (logits.argmax(1) == y).sum()
        count = len(y)
        sums = [loss.detach() * count, penalty.detach() * count, hits, raw.detach().sum() * 0]
        seen = batch.detached() if self._defense.adversaries else None
        return loss, torch.stack([s.to(loss.dtype) for s in sums]), seen

    def _penalty(self, batch: Batch) -> Tensor:
        if not self._defense.adversaries:
            return self._defense.penalty(batch)
        with frozen(nn.ModuleList(self._defense.adversaries)):
            return self._defense.penalty(batch)
