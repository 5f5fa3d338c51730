"""Re-identification: is the original the nearest of many candidates to its reconstruction?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.metrics._samples import check_alike, check_finite, comparable, rescaled

__all__ = ["Reidentification", "reidentify"]

_CHUNK = 1024


@dataclass(frozen=True)
class Reidentification:
    """Where each original stands among the candidates, ordered by distance to its reconstruction.

    Attributes:
        hit: 1 where it is the nearest of all, else 0, (N,) float32.
        rank: its place, (N,) int64: 1 is the nearest, `count` the farthest.
        count: number of candidates of each reconstruction, the original included.
    """

    hit: Tensor
    rank: Tensor
    count: int

    @property
    def chance(self) -> float:
        """The share of hits of a blind guess: 1 / count."""
        return 1 / self.count


def reidentify(reconstruction: Tensor, original: Tensor, candidates: Tensor) -> Reidentification:
    """Find each original among candidates by its reconstruction.

    Images are compared by the partial correlation of their pixels given the mean candidate: what
    a change of brightness or contrast adds to a reconstruction, or its pull to the mean image, is
    no obstacle. By the plain squared error a faint or noisy reconstruction is nearest to whatever
    candidate is faint itself. The features of a recognizer stand blur and shifts better and all
    else worse: it is trained to forget what tells two members of a class apart. Sequences are
    compared alike, vectors by the squared error. `scripts/benchmark reidentification` compares the
    three.

    A candidate as far away as the original counts as nearer, so that a reconstruction that tells
    nothing apart is no hit.

        1 where  corr(a - m, x - m) > corr(a - m, c - m)  for all candidates c, m their mean; else 0

    Args:
        reconstruction: images (N, C, H, W), vectors (N, d) or sequences (N, C, T).
        original: the same shape.
        candidates: others to hide each original among, (M, ...), M >= 1, none of them an
            original. Each original competes with these M, not with the other originals.

    Raises:
        ConfigError: shapes that do not fit together.
        NonFiniteError: NaN or infinity among them.

    Source: mixcon's own; the partial correlation is that of Fisher, Metron 1924.

    Cost: a correlation with each candidate for each image: one matrix product.
    """
    reconstruction, original = comparable(reconstruction, original)
    check_alike("candidates", candidates, "originals", original)
    check_finite(reconstructions=reconstruction, originals=original, candidates=candidates)
    if not len(candidates):
        raise ConfigError("expected a candidate or more to hide the originals among, but got none")
    rows = [x.flatten(1).to(original) for x in (reconstruction, original, candidates)]
    if Kind.of(original.shape[1:]) is not Kind.VECTOR:
        mean = rows[2].mean(0)
        rows = [_residual(x, mean) for x in rows]
    else:
        scale = torch.cat(rows).abs().max()  # squares of tiny numbers would vanish
        rows = [x / torch.where(scale == 0, 1, scale) for x in rows]
    guess, truth, others = rows
    own = _distances(guess.unsqueeze(1), truth.unsqueeze(1)).flatten(1)
    nearer = [(_distances(guess, part) <= own).sum(1) for part in others.split(_CHUNK)]
    rank = 1 + torch.stack(nearer).sum(0)
    return Reidentification((rank == 1).float(), rank, len(candidates) + 1)


def _residual(rows: Tensor, mean: Tensor) -> Tensor:
    """What a regression on a constant and the mean image leaves of each row, as unit vectors.

    The squared distance of two of them is 2 (1 - partial correlation).
    """
    rows, mean = rescaled(rows), rescaled(mean[None])[0]
    rows = rows - rows.mean(1, keepdim=True)
    direction = F.normalize(mean - mean.mean(), dim=0, eps=1e-6)
    return F.normalize(rows - torch.outer(rows @ direction, direction), eps=1e-6)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # Without the expanded square, which would cancel for near neighbors and confuse duplicates.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
