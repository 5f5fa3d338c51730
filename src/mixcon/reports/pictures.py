"""Pictures: image tensors as PNG, enlarged pixel by pixel so that nothing is smoothed over."""

from __future__ import annotations

import base64
import io

import torch
from PIL import Image
from torch import Tensor

from mixcon.errors import ConfigError
from mixcon.kinds import Kind

__all__ = ["data_uri", "grid", "png"]


def png(image: Tensor, scale: int = 1) -> bytes:
    """Encode an image as PNG.

    Args:
        image: (C, H, W) with C = 1 (gray) or 3 (RGB), values in [0, 1]; on any device.
        scale: side of the square that each pixel becomes (nearest neighbor), at least 1.

    Raises:
        ConfigError: another shape, values outside [0, 1] or NaN, or a scale below 1.
    """
    if not Kind.IMAGE.fits(image.shape) or image.shape[0] not in (1, 3):
        raise ConfigError(f"expected an image (1 or 3, H, W) but got shape {tuple(image.shape)}")
    if not bool(((image >= 0) & (image <= 1)).all()):
        raise ConfigError("expected values in [0, 1] but got others or NaN; rescale or clamp first")
    if scale < 1:
        raise ConfigError(f"expected a scale of at least 1 but got {scale}")
    pixels = (image.detach().float().cpu() * 255).round().byte().permute(1, 2, 0).squeeze(2)
    picture = Image.fromarray(pixels.numpy())
    picture = picture.resize(
        (picture.width * scale, picture.height * scale), Image.Resampling.NEAREST
    )
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def data_uri(content: bytes, ending: str = "png") -> str:
    """A picture, ``png`` or ``svg``, as a ``data:`` URI that stands in an HTML page by itself."""
    form = {"svg": "svg+xml"}.get(ending, ending)
    return f"data:image/{form};base64," + base64.b64encode(content).decode("ascii")


def grid(images: Tensor, columns: int, gap: int = 1) -> Tensor:
    """Lay images out row by row on a white ground.

    Args:
        images: (N, C, H, W) in [0, 1], N at least 1.
        columns: images per row, at least 1.
        gap: white pixels between neighbors.

    Returns:
        One image (C, rows * (H + gap) - gap, columns * (W + gap) - gap).

    Raises:
        ConfigError: another shape, or fewer than one column.
    """
    if not Kind.IMAGE.fits(images.shape[1:]) or not len(images) or columns < 1:
        raise ConfigError(
            f"expected images (N, C, H, W) and at least 1 column but got shape "
            f"{tuple(images.shape)} and {columns} columns"
        )
    count, channels, height, width = images.shape
    lines = -(-count // columns)
    sheet = torch.ones(lines * columns, channels, height + gap, width + gap)
    sheet[:count, :, :height, :width] = images.detach().cpu()
    sheet = sheet.unflatten(0, (lines, columns)).permute(2, 0, 3, 1, 4)
    sheet = sheet.reshape(channels, lines * (height + gap), columns * (width + gap))
    trimmed: Tensor = sheet[:, : sheet.shape[1] - gap, : sheet.shape[2] - gap]
    return trimmed
