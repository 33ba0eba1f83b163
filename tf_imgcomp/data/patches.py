"""Batches of random crops: a function of the seed and the step alone."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_imgcomp.data import pairs
from tf_imgcomp.data.photos import PhotoFolder


@dataclass(frozen=True)
class Sampling:
    """Layout and augmentation of training images.

    Attributes:
        pictures: int. Number of pictures of one size in an image, one above another. A
            crop shows the same area of each, in `3 * pictures` channels.
        scale_min: float. Smallest scale to which crops are reduced.
    """

    pictures: int
    scale_min: float


# Reduction restores the chroma that lossy photos have lost.
PHOTOS = Sampling(pictures=1, scale_min=0.5)
# Reduction would change the artifacts that a filter must learn.
PAIRS = Sampling(pictures=pairs.PICTURES, scale_min=1.0)


def crop(
    photo: np.ndarray, size: int, random: np.random.Generator, sampling: Sampling
) -> np.ndarray:
    """A random square of a photo, randomly reduced, mirrored and turned.

    Args:
        photo: uint8 `(h, w, 3 * pictures)`. If it is smaller than the crop, its last
            row and column are repeated.
        size: int. Side of the square.
        random: source of all choices.
        sampling: gives the smallest scale.

    Returns:
        uint8 `(size, size, 3 * pictures)`.
    """
    height, width = photo.shape[:2]
    largest = min(height, width, int(size / sampling.scale_min))
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


def side_by_side(image: np.ndarray, pictures: int) -> np.ndarray:
    """Moves pictures one above another, `(p * h, w, 3)`, to `(h, w, 3 * p)`."""
    height, width, _ = image.shape
    stacked = image.reshape(pictures, height // pictures, width, 3)
    return stacked.transpose(1, 2, 0, 3).reshape(height // pictures, width, -1)


def make_batch(
    photos: PhotoFolder,
    step: int,
    batch_size: int,
    size: int,
    seed: int,
    sampling: Sampling = PHOTOS,
) -> np.ndarray:
    """The batch of a step, uint8 `(batch_size, size, size, 3 * pictures)`."""
    random = np.random.default_rng((seed, step))
    numbers = random.integers(len(photos), size=batch_size)
    images = (side_by_side(photos[number], sampling.pictures) for number in numbers)
    return np.stack([crop(image, size, random, sampling) for image in images])


def batches(
    photos: PhotoFolder,
    first_step: int,
    last_step: int,
    batch_size: int,
    size: int,
    seed: int,
    sampling: Sampling = PHOTOS,
) -> tf.data.Dataset:
    """The batches of steps `first_step` to `last_step - 1`.

    A run that resumes at any step gets the same batches as without a stop.
    """

    def load(step):
        images = tf.numpy_function(
            lambda step: make_batch(
                photos, int(step), batch_size, size, seed, sampling
            ),
            [step],
            tf.uint8,
        )
        return tf.ensure_shape(images, (batch_size, size, size, 3 * sampling.pictures))

    steps = tf.data.Dataset.range(first_step, last_step)
    return steps.map(load, num_parallel_calls=2).prefetch(4)
