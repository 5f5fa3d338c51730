"""What every network asks of the samples it is built for."""

from __future__ import annotations

from collections.abc import Collection

from mixcon.errors import ConfigError

__all__ = ["check_classes", "check_image"]


def check_classes(classes: int) -> None:
    """Refuse fewer than two classes."""
    if classes < 2:
        raise ConfigError(f"expected at least 2 classes, but got {classes}")


def check_image(network: str, shape: tuple[int, ...], sides: Collection[int]) -> None:
    """Refuse what is not a square gray or color image of one of the given sides."""
    if shape not in {(channels, side, side) for channels in (1, 3) for side in sides}:
        sizes = " or ".join(f"{side} x {side}" for side in sides)
        raise ConfigError(
            f"expected images of shape (channels, height, width) with 1 or 3 channels and "
            f"{sizes} pixels for {network}, but got shape {shape}; resize the images, or choose "
            "another network"
        )
