"""LPIPS, where torchvision and the weights of its network are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.metrics._samples import comparable

__all__ = ["Lpips"]

_WEIGHTS = "alexnet-owt-7be5be79.pth"  # the name of torchvision, which ends in the file's hash
_SIDE = 64  # AlexNet sees nothing in 28 or 32 pixels


@dataclass(frozen=True)
class Lpips:
    """Learned perceptual image patch similarity, version 0.1, on AlexNet.

    Gray images are repeated in three channels; images of less than 64 pixels a side are enlarged
    to 64, bilinearly. Nothing is ever downloaded.

    Source: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018; as in torchmetrics.

    Raises:
        ConfigError: on the first use, if a package or the weights are missing.
    """

    name = f"LPIPS 0.1 (AlexNet, ImageNet weights, images enlarged to {_SIDE} pixels a side)"

    @staticmethod
    def missing() -> str | None:
        """What is missing to use it, and the cure; None if nothing is."""
        packages = [name for name in ("torchmetrics", "torchvision") if find_spec(name) is None]
        if packages:
            return f"LPIPS needs {' and '.join(packages)}: pip install 'mixcon[lpips]'"
        path = Path(torch.hub.get_dir()) / "checkpoints" / _WEIGHTS
        if not path.is_file():
            return (
                f"LPIPS needs the weights of AlexNet in {path}: get them with python -c "
                "\"from torchvision.models import alexnet; alexnet(weights='IMAGENET1K_V1')\""
            )
        digest = _WEIGHTS.removesuffix(".pth").rsplit("-", 1)[1]
        if not sha256(path.read_bytes()).hexdigest().startswith(digest):
            return f"LPIPS needs the weights of AlexNet, but {path} is damaged: delete it"
        return None

    @cached_property
    def _network(self) -> Any:
        missing = self.missing()
        if missing:
            raise ConfigError(missing)
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity  # noqa: PLC0415

        return LearnedPerceptualImagePatchSimilarity("alex", reduction="none", normalize=True)

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances, (N,), of images in [0, 1], (N, C, H, W) twice, C 1 or 3; 0 if identical."""
        a, b = comparable(a, b, images=True)
        if a.shape[1] not in (1, 3):
            raise ConfigError(f"expected images of 1 or 3 channels for LPIPS, but got {a.shape[1]}")
        distance: Tensor = self._network.to(a.device)(_prepared(a), _prepared(b))
        return distance.view(len(a))


def _prepared(images: Tensor) -> Tensor:
    side = [max(size, _SIDE) for size in images.shape[-2:]]
    enlarged = F.interpolate(images.float(), size=side, mode="bilinear", align_corners=False)
    return enlarged.expand(-1, 3, -1, -1).clamp(0, 1)
