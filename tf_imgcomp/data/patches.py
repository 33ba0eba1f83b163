"""Batches of random crops: a function of the seed and the step alone."""

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_imgcomp.data.photos import PhotoFolder

SCALE_MIN = 0.5  # Reduction restores the chroma that lossy photos have lost.


def crop(photo: np.ndarray, size: int, random: np.random.Generator) -> np.ndarray:
    """A random square of a photo, perhaps reduced, perhaps mirrored or turned.

    Args:
        photo: uint8 `(h, w, 3)`. Where it is smaller than the crop, its last rows and
            columns are repeated.
        size: int. Side of the square.
        random: source of all choices.

    Returns:
        uint8 `(size, size, 3)`.
    """
    height, width = photo.shape[:2]
    largest = min(height, width, int(size / SCALE_MIN))
    side = size if largest <= size else int(random.integers(size, largest + 1))
    top = int(random.integers(max(height - side, 0) + 1))
    left = int(random.integers(max(width - side, 0) + 1))
    square = photo[top : top + side, left : left + side]
    if side > size:
        square = np.asarray(Image.fromarray(square).resize((size, size), Image.LANCZOS))
    missing = [(0, side - square.shape[0]), (0, side - square.shape[1]), (0, 0)]
    if side == size and any(after for _, after in missing):
        square = np.pad(square, missing, "edge")
    if random.random() < 0.5:
        square = square[:, ::-1]
    return np.ascontiguousarray(np.rot90(square, random.integers(4)))


def make_batch(
    photos: PhotoFolder, step: int, batch_size: int, size: int, seed: int
) -> np.ndarray:
    """The batch of a step, uint8 `(batch_size, size, size, 3)`."""
    random = np.random.default_rng((seed, step))
    numbers = random.integers(len(photos), size=batch_size)
    return np.stack([crop(photos[number], size, random) for number in numbers])


def batches(
    photos: PhotoFolder,
    first_step: int,
    last_step: int,
    batch_size: int,
    size: int,
    seed: int,
) -> tf.data.Dataset:
    """The batches of steps `first_step` to `last_step - 1`.

    A run that resumes at any step sees the batches it would have seen.
    """

    def load(step):
        images = tf.numpy_function(
            lambda step: make_batch(photos, int(step), batch_size, size, seed),
            [step],
            tf.uint8,
        )
        return tf.ensure_shape(images, (batch_size, size, size, 3))

    steps = tf.data.Dataset.range(first_step, last_step)
    return steps.map(load, num_parallel_calls=2).prefetch(4)
