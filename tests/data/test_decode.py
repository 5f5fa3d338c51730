"""Every kind of image file that people have: read right, or refused in one clear error."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.data.encoded import encode

from mixcon.data.decode import decode, resized, stack
from mixcon.errors import DataError

GRAY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
COLOR = np.stack([GRAY, GRAY[::-1], 255 - GRAY], -1)


def deep_png(samples, color):
    """A PNG of 16 bits a channel, byte by byte: (H, W, C) big-endian, after RFC 2083."""
    height, width, _ = samples.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    crcs = [struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts]
    chunks = [
        struct.pack(">I", len(d)) + k + d + crc for (k, d), crc in zip(parts, crcs, strict=True)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def deep_tiff(numbers, white_is_zero):
    """An uncompressed little-endian TIFF of 16-bit gray, byte by byte, after TIFF 6.0."""
    height, width = numbers.shape
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 16), (259, 3, 1),
        (262, 3, 0 if white_is_zero else 1), (273, 4, 8 + 2 + 9 * 12 + 4), (277, 3, 1),
        (278, 4, height), (279, 4, numbers.size * 2),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    return head + numbers.astype("<u2").tobytes()


def color_first(pixels):
    return pixels.transpose(2, 0, 1)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
def test_eight_bits_come_back_as_written(kind):
    assert np.array_equal(decode(encode(GRAY, kind), "x"), GRAY[None])
    if kind != "GIF":
        assert np.array_equal(decode(encode(COLOR, kind), "x"), color_first(COLOR))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_keep_the_upper_eight(kind):
    numbers = GRAY.astype(np.uint16) * 256 + 77
    assert np.array_equal(decode(encode(numbers, kind), "x"), GRAY[None])
    middle = np.full((4, 6), 127 * 257, np.uint16)
    assert decode(encode(middle, kind), "x").mean() == 127


@pytest.mark.parametrize(
    ("color", "channels", "shown"), [(0, 1, 1), (4, 2, 1), (2, 3, 3), (6, 4, 3)]
)
def test_sixteen_bits_a_channel(color, channels, shown):
    samples = np.repeat(GRAY.astype(np.uint16)[..., None] * 257, channels, -1)
    if channels in {2, 4}:
        samples[..., -1] = 65535  # opaque
    assert np.array_equal(decode(deep_png(samples, color), "x"), np.repeat(GRAY[None], shown, 0))


def test_sixteen_bits_where_white_is_zero():
    numbers = GRAY.astype(np.uint16) * 257
    assert np.array_equal(decode(deep_tiff(numbers, white_is_zero=False), "x"), GRAY[None])
    assert np.array_equal(decode(deep_tiff(numbers, white_is_zero=True), "x"), 255 - GRAY[None])


@pytest.mark.parametrize("shift", [0, 1])
def test_twelve_bits_in_sixteen_are_not_read_as_black(shift):
    numbers = np.full((4, 6), 4095 + shift, np.uint16)
    if shift:
        assert decode(encode(numbers), "x").max() == 16
        return
    with pytest.raises(DataError, match=r"x: expected 16-bit gray.*at most 4095.*by 16"):
        decode(encode(numbers), "x")
    assert not decode(encode(numbers * 0), "x").any()  # black that is meant


def test_one_bit_and_palettes():
    bits = Image.fromarray(GRAY > 100)
    assert np.array_equal(decode(encode(bits), "x"), np.where(GRAY > 100, 255, 0)[None])
    palette = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8), "L").convert("P")
    palette.putpalette([10, 20, 30, 200, 100, 0])
    expected = np.array([[[10, 20, 30], [200, 100, 0]], [[200, 100, 0], [10, 20, 30]]], np.uint8)
    assert np.array_equal(decode(encode(palette), "x"), color_first(expected))
    white = expected.copy()
    white[0, 1] = white[1, 0] = 255
    see_through = encode(palette, transparency=b"\xff\x00")
    assert np.array_equal(decode(see_through, "x"), color_first(white))


def test_what_is_transparent_is_white():
    alpha = np.where(GRAY > 100, 255, 0).astype(np.uint8)
    seen = np.where(GRAY > 100, GRAY, 255)
    both = Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(alpha)])
    assert np.array_equal(decode(encode(both), "x"), seen[None])
    rgba = np.dstack([COLOR, alpha])
    assert np.array_equal(
        decode(encode(rgba), "x"), color_first(np.where(GRAY[..., None] > 100, COLOR, 255))
    )
    half = decode(encode(np.dstack([COLOR * 0, alpha * 0 + 128])), "x")
    assert abs(half.astype(int) - 127).max() <= 1
    keyed = encode(Image.fromarray(GRAY), transparency=50)
    assert np.array_equal(decode(keyed, "x"), np.where(GRAY == 50, 255, GRAY)[None])


def test_inks_become_light():
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        pixels = decode(encode(red, kind), "x")
        assert abs(pixels.mean((1, 2)) - [255, 0, 0]).max() < 4


# What a viewer shows of pixels kept under orientation 1 to 8, after the EXIF standard.
UPRIGHT = {
    1: lambda x: x, 2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud, 5: np.transpose,
    6: lambda x: np.rot90(x, -1), 7: lambda x: np.rot90(x, 2).T, 8: np.rot90,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "JPEG"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_cameras_orientation(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = np.kron(GRAY, np.ones((8, 8), np.uint8))  # flat blocks survive JPEG
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100}}.get(kind, {})
    found = decode(encode(pixels, kind, exif=exif, **options), "x").astype(int)
    assert abs(found[0] - UPRIGHT[orientation](pixels)).max() <= 2
    if kind == "PNG":
        deep = decode(encode(pixels.astype(np.uint16) * 257, kind, exif=exif), "x")
        assert np.array_equal(deep, found.astype(np.uint8))


def test_a_phone_s_preview_is_no_second_picture():
    preview = Image.fromarray(COLOR[:2, :2].copy())
    file = encode(COLOR, "MPO", save_all=True, append_images=[preview], quality=100)
    assert decode(file, "x").shape == (3, 4, 6)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_several_frames_are_refused(kind):
    first = Image.fromarray(COLOR)
    file = encode(first, kind, save_all=True, append_images=[Image.new("RGB", (6, 4))])
    with pytest.raises(DataError, match=r"x: expected one picture, but got 2 frames"):
        decode(file, "x")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "GIF", "TIFF", "PPM"])
def test_cut_and_damaged_files_are_one_clear_error(kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole = encode(noise, kind)
    for length in (0, 1, 20, len(whole) // 2, len(whole) - 40):
        with pytest.raises(DataError, match=r"^here\.x: expected an image"):
            decode(whole[:length], "here.x")
    random = np.random.default_rng(1)
    for _ in range(60):  # whatever a damaged file does, it ends in pixels or in this error
        damaged = bytearray(whole)
        for at in random.integers(0, min(400, len(whole)), 4):
            damaged[at] = random.integers(256)
        try:
            assert decode(bytes(damaged), "here.x").dtype == np.uint8
        except DataError as error:
            assert str(error).startswith("here.x: expected")  # noqa: PT017


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (encode(Image.new("F", (2, 2)), "TIFF"), "mode F"),
        (encode(Image.new("I", (2, 2), 70_000), "TIFF"), "mode I"),
        (encode(Image.new("LAB", (2, 2)), "TIFF"), "mode LAB"),
        (encode(Image.new("1", (20_000, 10_000))), "200000000 pixels"),
        (encode(Image.new("RGB", (2, 2)), "EPS"), r"PNG, JPEG.*bytes are none"),
        (b"<svg/>", r"PNG, JPEG.*6 bytes are none"),
    ],
)
def test_what_cannot_be_read_right_is_refused(file, message):
    with pytest.raises(DataError, match=f"here.*expected.*{message}"):
        decode(file, "here")


def test_a_large_photo_is_no_bomb():
    """108 megapixels, as phones make them: Pillow would warn, and the suite makes that an error."""
    assert decode(encode(Image.new("1", (12_000, 9_000))), "x", size=(4, 4)).shape == (1, 4, 4)


def test_resize_is_one_function_for_files_and_pixels():
    noise = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    small = decode(encode(noise), "x", size=(16, 16))
    expected = Image.fromarray(noise).resize((16, 16), Image.Resampling.BILINEAR)
    assert np.array_equal(small, color_first(np.asarray(expected)))
    whole = color_first(noise)[None]
    assert np.array_equal(resized(whole, 16)[0], small)
    gray = decode(encode(noise[..., 0].copy()), "x", size=(16, 16))
    assert np.array_equal(resized(whole[:, :1], 16)[0], gray)


def test_gray_or_color_as_asked():
    assert np.array_equal(decode(encode(GRAY), "x", mode="RGB"), np.repeat(GRAY[None], 3, 0))
    luma = COLOR @ np.array([0.299, 0.587, 0.114])
    assert abs(decode(encode(COLOR), "x", mode="L")[0] - luma).max() <= 1


def test_gray_beside_color_gets_three_channels():
    both = stack([GRAY[None], color_first(COLOR)], str, "")
    assert np.array_equal(both[0], np.repeat(GRAY[None], 3, 0))
    assert np.array_equal(both[1], color_first(COLOR))
    with pytest.raises(DataError, match="1: expected 6 x 4 pixels like 0, but got 4 x 6; do so"):
        stack([GRAY[None], GRAY.T[None]], str, "do so")
    with pytest.raises(DataError, match="0: expected one image or more"):
        stack([], str, "")
