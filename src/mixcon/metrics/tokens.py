"""Tokens that come back."""

from __future__ import annotations

import torch
from torch import Tensor

from mixcon.metrics._samples import comparable

__all__ = ["token_accuracy"]


def token_accuracy(reconstruction: Tensor, original: Tensor) -> Tensor:
    """Share of a text's tokens that its reconstruction names: (N, L, V) twice to (N,).

    The largest entry of a row is the token that it names; of several that are the largest each
    counts for its part. Rows behind the end of the original do not count; a text without tokens
    scores 0, and NaN shows.

        mean over l with max x_l > 0 of  [argmax a_l = argmax x_l]

    Raises:
        ConfigError: the shapes differ, or are no batch of samples.

    Source: the accuracy of Morris et al., Text embeddings reveal (almost) as much as text, EMNLP
    2023, at known positions.

    Cost: one pass.
    """
    found, wanted = comparable(reconstruction, original)
    named = found == found.amax(-1, keepdim=True)
    right = (named * (wanted > 0)).sum(-1) / named.sum(-1)
    there = (wanted > 0).any(-1)
    sums = [part.view(len(found), -1).sum(1) for part in (right, there)]
    shares = sums[0] / sums[1].clamp_min(1)
    whole = (found + wanted).flatten(1).isfinite().all(1)
    return shares.masked_fill(~whole, torch.nan)
