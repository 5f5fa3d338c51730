"""Pictures, read back by Pillow."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from mixcon.errors import ConfigError
from mixcon.reports import data_uri, grid, png


@pytest.mark.parametrize("channels", [1, 3])
def test_png_keeps_every_pixel(channels):
    image = torch.randint(0, 256, (channels, 4, 5)) / 255
    back = np.asarray(Image.open(io.BytesIO(png(image, scale=3))))
    expected = (image * 255).round().byte().permute(1, 2, 0).squeeze(2).numpy()
    assert np.array_equal(back[::3, ::3], expected)
    assert back.shape[:2] == (12, 15)
    assert data_uri(b"x") == "data:image/png;base64,eA=="


def test_grid_by_hand():
    images = torch.arange(3).view(3, 1, 1, 1) / 4
    sheet = grid(images, columns=2)
    assert sheet[0].tolist() == [[0.0, 1.0, 0.25], [1.0, 1.0, 1.0], [0.5, 1.0, 1.0]]


@pytest.mark.parametrize(
    "call",
    [
        lambda: png(torch.rand(2, 4, 4)),
        lambda: png(torch.full((1, 2, 2), 1.5)),
        lambda: png(torch.full((1, 2, 2), float("nan"))),
        lambda: png(torch.rand(1, 2, 2), scale=0),
        lambda: grid(torch.rand(1, 2, 2), 1),
        lambda: grid(torch.rand(1, 1, 2, 2), 0),
    ],
)
def test_misuse_is_refused(call):
    with pytest.raises(ConfigError, match="expected"):
        call()
