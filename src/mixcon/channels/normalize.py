"""Send the direction of a representation, and not its length."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.channels.base import Channel

__all__ = ["Normalize"]


class Normalize(Channel):
    """Scales each representation to unit L2 norm, over all dimensions but the first.

    Added noise then has the same strength for every sample. A zero representation stays zero.

        z / |z|

    Shape:
        (N, ...) to (N, ...), in the dtype of the input; float16 does not overflow.

    Source: Li et al., MixCon, footnote 3, where it is a step of the loss; here what leaves the
    device is scaled.

    Cost: one pass over z; no weights, no bytes saved.
    """

    unit_norm = True
    smooth = True

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        """Scale each of the N representations."""
        rows = z.flatten(1) if z.ndim > 1 else z.unsqueeze(1)
        # With its largest number at 1, no row can overflow, and only a zero row is shorter than 1.
        peaks = rows.detach().abs().amax(1, keepdim=True)
        rows = rows / peaks.where(peaks >= torch.finfo(z.dtype).tiny, 1.0)
        return F.normalize(rows, dim=1, eps=1.0).view_as(z).to(z.dtype)
