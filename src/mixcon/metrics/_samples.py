"""What every metric asks of its samples before it measures: type, shape, range, finite numbers."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mixcon.errors import ConfigError, NonFiniteError
from mixcon.kinds import Kind

__all__ = [
    "check_alike",
    "check_class_labels",
    "check_data_range",
    "check_finite",
    "check_samples",
    "check_unit_range",
    "comparable",
    "rescaled",
    "wide",
]


def comparable(
    reconstruction: Tensor, original: Tensor, *, images: bool = False
) -> tuple[Tensor, Tensor]:
    """Both in one type, float32 at least, once they are known to compare.

    Args:
        reconstruction: (N, ...), of a floating type.
        original: the same shape.
        images: whether they must be images, (N, C, H, W).

    Raises:
        ConfigError: other types or shapes.
    """
    check_samples("reconstructions", reconstruction, images=images)
    check_samples("originals", original, images=images)
    if reconstruction.shape != original.shape:
        raise ConfigError(
            f"expected reconstructions of shape {tuple(original.shape)} like the originals, but "
            f"got {tuple(reconstruction.shape)}"
        )
    kind = torch.promote_types(wide(reconstruction).dtype, original.dtype)
    return reconstruction.to(kind), original.to(kind)


def wide(samples: Tensor) -> Tensor:
    """In float32 at least."""
    return samples.to(torch.promote_types(samples.dtype, torch.float32))


def rescaled(rows: Tensor) -> Tensor:
    """Each row, (N, m), over its largest absolute number, so that squares stay in range."""
    largest = rows.abs().amax(1, keepdim=True)
    return rows / torch.where(largest == 0, 1, largest)


def check_samples(what: str, samples: Tensor, *, images: bool = False) -> None:
    """Refuse what is no batch of floating numbers, (N, ...), or of images, (N, C, H, W)."""
    if not samples.is_floating_point():
        raise ConfigError(
            f"expected {what} of a floating type, but got {samples.dtype}: call .float(), and "
            f"divide pixels by 255"
        )
    fits = Kind.IMAGE.fits(samples.shape[1:]) if images else samples.ndim > 1
    if not fits or 0 in samples.shape[1:]:
        shape = "images (N, C, H, W)" if images else "(N, ...), batch first"
        raise ConfigError(f"expected {what} {shape}, but got shape {tuple(samples.shape)}")


def check_alike(what: str, samples: Tensor, other: str, like: Tensor) -> None:
    """Refuse batches whose samples differ in shape; their numbers may differ."""
    check_samples(what, samples)
    check_samples(other, like)
    if samples.shape[1:] != like.shape[1:]:
        raise ConfigError(
            f"expected {what} like the {other}, of shape (N, "
            f"{', '.join(map(str, like.shape[1:]))}), but got {tuple(samples.shape)}"
        )


def check_class_labels(what: str, labels: Tensor, count: int) -> None:
    """Refuse labels that are not one integer for each of `count` samples."""
    if labels.shape != (count,) or labels.is_floating_point() or labels.is_complex():
        raise ConfigError(
            f"expected one label, an integer, for each of {count} {what}, but got {labels.dtype} "
            f"of shape {tuple(labels.shape)}"
        )


def check_data_range(data_range: float) -> None:
    """Refuse a range that is not positive and finite."""
    if not 0 < data_range < math.inf:
        raise ConfigError(
            f"expected data_range, the largest value minus the smallest possible, to be a finite "
            f"number > 0, but got {data_range}"
        )


def check_finite(**batches: Tensor) -> None:
    """Refuse NaN and infinity where an order would hide them: in a nearest, a largest, a rank."""
    for what, samples in batches.items():
        if not samples.isfinite().all():
            name = what.replace("_", " ")
            raise NonFiniteError(f"expected finite numbers in {name}, but got NaN or infinity")


def check_unit_range(what: str, images: Tensor) -> None:
    """Refuse images with finite values outside [0, 1], beyond rounding."""
    finite = images[images.isfinite()]
    if len(finite) and not -1e-4 <= finite.min() <= finite.max() <= 1 + 1e-4:
        raise ConfigError(
            f"expected {what} with values in [0, 1], but got values from {finite.min():g} to "
            f"{finite.max():g}; scale them first"
        )
