"""Pictures of screens from a seed, for training and evaluation."""

import numpy as np
from PIL import Image

from tf_imgcomp.data.screens import interfaces, pixel_art, plots, text

KINDS = {
    "text": text.page,
    "plot": plots.figure,
    "interface": interfaces.desktop,
    "pixels": pixel_art.scene,
}
SMALLEST = 64  # Pixels; drawings need some room.


def kind_of(number: int) -> str:
    """The kind of a picture; the kinds take turns."""
    return list(KINDS)[number % len(KINDS)]


def file_name(number: int) -> str:
    """The name of a picture's file; `photos.is_held_out` reads its first two parts."""
    return f"screen_{number:04d}_{kind_of(number)}.png"


def render(seed: int, number: int, width: int, height: int) -> Image.Image:
    """Renders a picture.

    The same versions of NumPy, Pillow and Matplotlib render the same pixels again.

    Args:
        seed: seed of the set of pictures, not negative.
        number: number of the picture in the set, not negative. It decides the kind.
        width: pixels, at least SMALLEST.
        height: pixels, at least SMALLEST.

    Returns:
        An RGB image.

    Raises:
        ValueError: If an argument is too small.
    """
    if min(width, height) < SMALLEST:
        raise ValueError(
            f"Expected sides of at least {SMALLEST}, received {width}x{height}."
        )
    if min(seed, number) < 0:
        raise ValueError(
            f"Expected seed and number of at least 0, received {seed} and {number}."
        )
    rng = np.random.default_rng([seed, number])
    return KINDS[kind_of(number)](rng, width, height)
