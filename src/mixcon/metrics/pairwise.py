"""The comparisons of reconstructions with originals that need nothing else."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.errors import NonFiniteError
from mixcon.kinds import Kind
from mixcon.metrics._samples import check_unit_range, comparable
from mixcon.metrics.cosine import cosine
from mixcon.metrics.log_mel import log_mel_distance
from mixcon.metrics.metric import Metric, Pairwise
from mixcon.metrics.pixel import mse, psnr
from mixcon.metrics.si_sdr import si_sdr
from mixcon.metrics.structural import ssim
from mixcon.metrics.tokens import token_accuracy
from mixcon.registry import Registry

__all__ = ["METRICS", "measure", "metric_named"]

_CHUNK = 512
_IMAGES = frozenset({Kind.IMAGE})
_SOUNDS = frozenset({Kind.SEQUENCE})
_TEXTS = frozenset({Kind.TEXT})

METRICS: Registry[Pairwise] = Registry(
    "metrics",
    {
        "mse": Pairwise(
            function=mse,
            label="MSE",
            higher_leaks=False,
            perfect=0.0,
            limits=(0.0, math.inf),
            phrase="mean squared error {}, where 0 is an exact copy",
            spec="z.3g",
            description="mean squared error, 0 is identical",
        ),
        "psnr": Pairwise(
            function=psnr,
            kinds=_IMAGES,
            label="PSNR (dB)",
            perfect=math.inf,
            limits=(0.0, math.inf),
            phrase="{} dB",
            spec="z.1f",
            description="peak signal-to-noise ratio in dB, infinite is identical",
        ),
        "ssim": Pairwise(
            function=ssim,
            kinds=_IMAGES,
            label="SSIM",
            limits=(-1.0, 1.0),
            description="structural similarity in [-1, 1], 1 is identical",
        ),
        "cosine": Pairwise(
            function=cosine,
            label="Cosine",
            limits=(-1.0, 1.0),
            description="cosine similarity in [-1, 1], 1 is parallel",
        ),
        "si-sdr": Pairwise(
            function=si_sdr,
            kinds=_SOUNDS,
            label="SI-SDR (dB)",
            perfect=math.inf,
            limits=(-100.0, math.inf),
            phrase="{} dB",
            spec="z.1f",
            description="scale-invariant signal-to-distortion ratio in dB, infinite is a copy",
        ),
        "log-mel": Pairwise(
            function=log_mel_distance,
            kinds=_SOUNDS,
            label="Log-mel distance (dB)",
            higher_leaks=False,
            perfect=0.0,
            limits=(0.0, math.inf),
            phrase="{} dB from the original, where 0 is a copy",
            spec="z.1f",
            description="distance of mel spectrograms of sound in dB, 0 sounds the same",
        ),
        "tokens": Pairwise(
            function=token_accuracy,
            kinds=_TEXTS,
            label="Tokens",
            phrase="{} of the tokens right",
            description="share of a text's tokens that are right, 1 is identical",
        ),
    },
)
"""The comparisons by name; `METRICS.find` also knows ``package.module:name``."""

_TRAINED = {
    "psim": Metric(label="PSIM", limits=(-math.inf, 1.0)),
    "recognition": Metric(label="Recognition", phrase="{} of the inputs recognized"),
    "reidentification": Metric(label="Re-identification", phrase="{} of the inputs found"),
    "reidentification_in_class": Metric(
        label="Re-identification in class", phrase="{} of the inputs found among those of a class"
    ),
}


def metric_named(name: str) -> Metric:
    """How the values of a metric read; one that nobody registered is a similarity in [0, 1].

    Raises:
        ConfigError: ``package.module:name`` of code that was not allowed or cannot be imported.
    """
    if METRICS.has(name):
        return METRICS.find(name)
    return _TRAINED.get(name) or Metric(label=name)


def measure(reconstruction: Tensor, original: Tensor) -> dict[str, Tensor]:
    """Every applicable metric: name to one value per sample, (N,), float32 or float64.

    Args:
        reconstruction: (N, C, H, W) images in [0, 1], (N, d) vectors, (N, C, T) sequences or
            (N, L, V) texts.
        original: the same shape; it says of which kind they are.

    Raises:
        ConfigError: the shapes differ or are no batch of a known kind, or images outside of [0, 1].
        NonFiniteError: NaN or infinity in the reconstruction.
    """
    reconstruction, original = comparable(reconstruction, original)
    if not reconstruction.isfinite().all():
        raise NonFiniteError("expected a finite reconstruction, but got NaN or infinity")
    kind = Kind.of_samples(original)
    if kind is Kind.IMAGE:
        check_unit_range("reconstructions", reconstruction)
        check_unit_range("originals", original)
    parts = zip(reconstruction.split(_CHUNK), original.split(_CHUNK), strict=True)
    chunks = [
        {name: metric.function(a, b) for name, metric in METRICS.items() if kind in metric.kinds}
        for a, b in parts
    ]
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in chunks[0]}
