"""An independent classifier: does it see the true label in a reconstruction?"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon._cache import digest, kept
from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.metrics._classifier import OnStep, check_labeled, fit_classifier
from mixcon.metrics._samples import (
    check_class_labels,
    check_finite,
    check_samples,
    check_unit_range,
)

__all__ = ["Recognizer", "recognition", "train_recognizer"]

_WIDTHS = (32, 64, 64)
_SMALLEST, _LARGEST = 8, 64  # pixels a side
_CHUNK = 256
_FIT = 1  # raise when the same arguments train another recognizer


class Recognizer(nn.Module):
    """A small convolutional classifier of images, trained on the attacker's own.

    Three blocks of convolution, batch norm and ReLU, each at half the side of the one before, then
    the maximum of each channel and one linear layer. It shares nothing with the model under audit.

    Args:
        channels: of the images.
        classes: number of logits.

    Attributes:
        mean: buffer, mean of its training images in each channel, (C, 1, 1).
        std: buffer, their standard deviation in each channel, (C, 1, 1).
        trained_on: buffer, how many images it was trained on.
    """

    mean: Tensor
    std: Tensor
    trained_on: Tensor

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_block(a, b) for a, b in pairwise((channels, *_WIDTHS)))
        self.classify = nn.Linear(_WIDTHS[-1], classes)
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        self.register_buffer("trained_on", torch.tensor(0))

    def features(self, images: Tensor) -> list[Tensor]:
        """The activations after each block, (N, C_l, H_l, W_l), of images (N, C, H, W).

        Images of more than 64 pixels a side are averaged down to 64 first.
        """
        height, width = (min(size, _LARGEST) for size in images.shape[-2:])
        x = (F.adaptive_avg_pool2d(images, (height, width)) - self.mean) / self.std
        found = []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (N, classes), of images (N, C, H, W) in [0, 1]."""
        return cast(Tensor, self.classify(self.features(images)[-1].amax((-2, -1))))


def _block(channels: int, width: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(width), nn.ReLU())


def train_recognizer(
    inputs: Tensor,
    labels: Tensor,
    classes: int,
    seed: int,
    *,
    steps: int = 600,
    on_step: OnStep = lambda _: None,
) -> Recognizer:
    """Train a recognizer; the same for the same seed, and out of the cache the next time.

    What attacks return is often noisy, blurred or faint, and still plain to a human eye. A
    classifier that only ever saw clean images is blind to it, and would make leakage look small.
    So three quarters of each batch are degraded in one of these ways.

    Args:
        inputs: the attacker's own images, (M, C, H, W) in [0, 1], none of them a victim.
        labels: their classes, int64 (M,).
        classes: number of classes.
        seed: draws the first weights, the order of the images and their degradation.
        steps: batches of 128 images to train on.
        on_step: told about progress, where it is not out of the cache.

    Raises:
        ConfigError: no images, smaller than 8 pixels, outside [0, 1], or with unfit labels.
    """
    _check_images(inputs)
    check_labeled("auxiliary images", inputs, labels, classes)
    facts = (classes, seed, steps, _FIT, torch.__version__, inputs.device.type)

    def train() -> dict[str, Tensor]:
        return _trained(inputs, labels, classes, seed, steps, on_step).state_dict()

    with torch.random.fork_rng():  # first weights, soon replaced, draw from it
        recognizer = Recognizer(inputs.shape[1], classes).to(inputs)
    recognizer.load_state_dict(kept(f"recognizer-{digest(inputs, labels, *facts)}", train))
    return recognizer.eval().requires_grad_(False)


def _trained(
    inputs: Tensor, labels: Tensor, classes: int, seed: int, steps: int, on_step: OnStep
) -> Recognizer:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        recognizer = Recognizer(inputs.shape[1], classes).to(inputs)
    std, mean = torch.std_mean(inputs.transpose(0, 1).flatten(1), 1)
    recognizer.mean.copy_(mean.view(-1, 1, 1))
    recognizer.std.copy_(std.clamp_min(1e-3).view(-1, 1, 1))
    recognizer.trained_on.fill_(len(inputs))
    fit_classifier(
        recognizer, inputs, labels, seed=seed, steps=steps, vary=_degraded, on_step=on_step
    )
    return recognizer


def _check_recognizable(images: Tensor, labels: Tensor, recognizer: Recognizer) -> None:
    check_samples("reconstructions", images, images=True)
    check_finite(reconstructions=images)
    check_unit_range("reconstructions", images)
    check_class_labels("reconstructions", labels, len(images))
    channels, classes = len(recognizer.mean), recognizer.classify.out_features
    if images.shape[1] != channels:
        raise ConfigError(
            f"expected images of {channels} channels, as the recognizer was trained on, but got "
            f"shape {tuple(images.shape)}"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise ConfigError(
            f"expected labels from 0 to {classes - 1}, the recognizer's classes, but got "
            f"{int(labels.min())} to {int(labels.max())}"
        )


def _check_images(inputs: Tensor) -> None:
    check_samples("auxiliary images", inputs)
    check_finite(auxiliary_images=inputs)
    if not Kind.IMAGE.fits(inputs.shape[1:]) or min(inputs.shape[-2:]) < _SMALLEST:
        raise ConfigError(
            f"expected images (M, C, H, W) of {_SMALLEST} x {_SMALLEST} pixels or more to train a "
            f"recognizer on, but got shape {tuple(inputs.shape)}"
        )
    if len(inputs) and not 0 <= inputs.min() <= inputs.max() <= 1:
        raise ConfigError(
            f"expected images in [0, 1] to train a recognizer on, but got values from "
            f"{inputs.min():g} to {inputs.max():g}; scale them first"
        )


def _degraded(images: Tensor, generator: torch.Generator) -> Tensor:
    """A quarter noisy, a quarter blurred, a quarter faint, the rest as they are."""
    noisy, blurred, faint, clean = images.tensor_split(4)
    noise = torch.randn(noisy.shape, generator=generator, device=images.device)
    noisy = (noisy + 0.6 * _uniform(noisy, generator) * noise).clamp(0, 1)
    coarse = F.interpolate(F.avg_pool2d(blurred, 3), size=images.shape[-2:], mode="bilinear")
    blurred = torch.lerp(blurred, coarse, _uniform(blurred, generator))
    faint = 0.5 + (faint - 0.5) * (0.2 + 0.8 * _uniform(faint, generator))
    return torch.cat([noisy, blurred, faint, clean])


def _uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    """One number in [0, 1) an image, (N, 1, 1, 1)."""
    return torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device)


@torch.no_grad()
def recognition(reconstruction: Tensor, labels: Tensor, recognizer: Recognizer) -> Tensor:
    """Whether the recognizer sees the true label in each image: (N, C, H, W) to (N,), 0 or 1.

    Its value for the originals is the control: the share that can be recognized at all.

        1 where argmax recognizer(image) = label, else 0

    Args:
        reconstruction: images in [0, 1].
        labels: their true classes, int64 (N,).
        recognizer: who looks at them.

    Raises:
        ConfigError: no images (N, C, H, W) of the recognizer's channels in [0, 1], or labels that
            are not one of its classes each.
        NonFiniteError: NaN or infinity in the images.

    Source: mixcon's own; a classifier as the judge of images is that of Salimans et al., Improved
    Techniques for Training GANs, NeurIPS 2016.

    Cost: a forward pass of the recognizer for each image; its training takes 600 batches of 128,
    once for each data set.
    """
    _check_recognizable(reconstruction, labels, recognizer)
    seen = torch.cat([recognizer(part).argmax(1) for part in reconstruction.split(_CHUNK)])
    return (seen == labels.to(seen.device)).float()
