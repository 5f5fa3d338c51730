"""Encoded pictures for tests."""

import io

import numpy as np
from PIL import Image


def encode(image, kind="PNG", **options):
    """A file's bytes, of pixels or of a Pillow image."""
    file = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(file, kind, **options)
    return file.getvalue()
