"""Encoded images to pixels: the one decoder of folders, Parquet files and `mixcon infer`.

Devices need it, so it needs no torch.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mixcon.errors import DataError

__all__ = ["Pixels", "decode", "is_image", "resized", "stack"]

Pixels: TypeAlias = NDArray[np.uint8]

_FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM")  # no others: EPS runs programs
_NAMED = ", ".join(_FORMATS)
_GRAY = {"1", "L", "LA"}
_COLOR = {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
_DARK = 4095  # largest number of 12 bits, which scanners put into files of 16
_PHOTOMETRIC = 262  # tag of TIFF


def decode(
    encoded: bytes,
    where: str,
    *,
    size: tuple[int, int] | None = None,
    mode: Literal["L", "RGB"] | None = None,
) -> Pixels:
    """The pixels of an image's file, as a viewer shows them.

    Cameras' orientation is applied, transparent parts lie on white, 16 bits become 8 by dropping
    the lower ones (as libpng does), and of a phone's picture with a preview behind it (MPO) the
    picture is taken.

    Args:
        encoded: content of the file.
        where: what errors call it.
        size: width and height to resize to, bilinearly and without keeping the proportions.
        mode: gray or color; as the file has it by default.

    Returns:
        uint8 of shape (1, H, W) for gray or (3, H, W) for color.

    Raises:
        DataError: not an image, cut off, of several frames, too large to be meant, or of numbers
            whose range is unknown.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a photo of 108 megapixels is large, but no bomb
            picture = _upright(Image.open(io.BytesIO(encoded), formats=_FORMATS), where)
    except DataError:
        raise
    except UnidentifiedImageError as error:
        raise DataError(
            f"{where}: expected an image ({_NAMED}), but its {len(encoded):,} bytes are none; "
            "convert it, fetch it again or take it out"
        ) from error
    except Exception as error:  # damaged files make Pillow raise almost anything
        raise DataError(
            f"{where}: expected an image, but it does not decode ({error}); fetch the file again, "
            "or take it out"
        ) from error
    picture = picture if mode is None else picture.convert(mode)
    return _pixels(picture if size is None else _resize(picture, size))


def is_image(encoded: bytes) -> bool:
    """Whether the content begins like an image's file, whole or not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(encoded), formats=_FORMATS)
    except UnidentifiedImageError:
        return False
    except Exception:  # begins like one, and is damaged
        return True
    return True


def resized(images: Pixels, side: int) -> Pixels:
    """Decoded images of another size, exactly as `decode` would have resized them.

    Args:
        images: uint8, (N, 1 or 3, H, W).
        side: width and height to resize to.
    """
    arrays = (image[0] if len(image) == 1 else image.transpose(1, 2, 0) for image in images)
    scaled = [_pixels(_resize(Image.fromarray(array), (side, side))) for array in arrays]
    return np.stack(scaled)


def stack(pictures: Iterable[Pixels], name: Callable[[int], str], cure: str) -> Pixels:
    """Images of one size as uint8 (N, C, H, W): one channel if all are gray, else three.

    Args:
        pictures: each as `decode` returns it; taken one by one, so that the first that does not
            fit ends the work.
        name: says which image position i is, for errors.
        cure: what to do about images of several sizes.

    Raises:
        DataError: an image has another size than the first, or there is none.
    """
    kept: list[Pixels] = []
    for i, pixels in enumerate(pictures):
        kept.append(pixels)
        (height, width), (h, w) = kept[0].shape[1:], pixels.shape[1:]
        if (height, width) != (h, w):
            raise DataError(
                f"{name(i)}: expected {width} x {height} pixels like {name(0)}, but got "
                f"{w} x {h}; {cure}"
            )
    if not kept:
        raise DataError(f"{name(0)}: expected one image or more, but got none")
    whole = np.empty((len(kept), max(map(len, kept)), *kept[0].shape[1:]), np.uint8)
    for i, pixels in enumerate(kept):
        whole[i] = pixels  # gray beside color becomes three equal channels
    return whole


def _resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.BILINEAR)


def _pixels(picture: Image.Image) -> Pixels:
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))


def _upright(image: Image.Image, where: str) -> Image.Image:
    """The picture in 8 bits, gray or color."""
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise DataError(
            f"{where}: expected one picture, but got {frames} frames or pages; save those that "
            "count as files of their own"
        )
    deep = _is_deep_gray_alpha(image)
    image.load()
    gray = deep or image.mode in _GRAY or _is_gray_palette(image)
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in {"PNG", "PPM"}):
        return _from_sixteen(image, where)
    if image.mode in _GRAY | _COLOR:
        return _on_white(image).convert("L" if gray else "RGB")
    raise DataError(
        f"{where}: expected 8 bits a channel, or 16 without a sign, but got Pillow's mode "
        f"{image.mode}, whose range is not known; scale the numbers to 0 to 255 and save them so"
    )


def _is_deep_gray_alpha(image: Image.Image) -> bool:
    """Gray and alpha of 16 bits each, which Pillow reads as color."""
    return any(tile.args in ("LA;16B", ("LA;16B",)) for tile in getattr(image, "tile", []))


def _is_gray_palette(image: Image.Image) -> bool:
    colors = image.getpalette("RGB") if image.mode == "P" else None
    return colors is not None and colors[0::3] == colors[1::3] == colors[2::3]


def _from_sixteen(image: Image.Image, where: str) -> Image.Image:
    numbers = np.asarray(image).astype(np.uint16)
    if 0 < numbers.max() <= _DARK:
        raise DataError(
            f"{where}: expected 16-bit gray from 0 to 65535, but got at most {numbers.max()}, all "
            "but black; multiply the 12 bits of a scanner by 16 and save that"
        )
    if getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0:  # white is zero; Pillow leaves it so
        numbers = ~numbers
    return Image.fromarray((numbers >> 8).astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    above = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
