"""Re-identification: ways to compare a reconstruction with candidates, on degraded originals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from mixcon.data import load
from mixcon.errors import DataError
from mixcon.metrics import Recognizer, reidentify, train_recognizer

Disguise = Callable[[Tensor, Tensor], Tensor]

DISGUISES: dict[str, Disguise] = {
    "noise 1": lambda x, _: _noisy(x, 1),
    "noise 2": lambda x, _: _noisy(x, 2),
    "6 x 6 pixels": lambda x, _: _coarse(x, 6),
    "4 x 4 pixels": lambda x, _: _coarse(x, 4),
    "contrast / 10": lambda x, _: 0.5 + 0.1 * (x - 0.5),
    "mostly the mean": lambda x, mean: 0.9 * mean + 0.1 * x,
    "the same, noisy": lambda x, mean: _noisy(0.8 * mean + 0.2 * x, 0.3),
    "moved by a pixel": lambda x, _: x.roll(1, -1),
}


def run() -> Iterator[str]:
    for name in ("mnist", "cifar10"):
        try:
            yield from _table(name)
        except DataError as error:
            yield f"{name}: {error}"


def _table(name: str) -> Iterator[str]:
    data = load(name)
    train, test = data.train.take(slice(20_000)), data.test.floats()
    original, candidates, mean = test[:200], test[200:1200], train.floats().mean(0)
    recognizer = train_recognizer(train.floats(), train.labels, len(train.classes), seed=0)
    yield f"{name}: share re-identified among {len(candidates) + 1:,}"
    yield f"{'':<18} {'partial correlation':>20} {'squared error':>14} {'features':>9}"
    for disguise, apply in DISGUISES.items():
        shares = _shares(apply(original, mean), original, candidates, recognizer)
        yield f"{disguise:<18} {shares[0]:>20.3f} {shares[1]:>14.3f} {shares[2]:>9.3f}"


def _shares(
    guess: Tensor, original: Tensor, candidates: Tensor, recognizer: Recognizer
) -> list[float]:
    images = (guess, original, candidates)
    views = (
        images,
        [x.flatten(1) for x in images],
        [_features(recognizer, x) for x in images],
    )
    return [reidentify(*view).hit.mean().item() for view in views]


@torch.no_grad()
def _features(recognizer: Recognizer, images: Tensor) -> Tensor:
    """Rows whose squared distance is the perceptual distance, up to a factor."""
    layers = [F.normalize(layer) for layer in recognizer.features(images)]
    return torch.cat([layer.flatten(1) / layer[0, 0].numel() ** 0.5 for layer in layers], 1)


def _noisy(images: Tensor, amount: float) -> Tensor:
    return (images + amount * torch.randn_like(images)).clamp(0, 1)


def _coarse(images: Tensor, side: int) -> Tensor:
    small = F.adaptive_avg_pool2d(images, side)
    return F.interpolate(small, size=images.shape[-2:], mode="bilinear")
