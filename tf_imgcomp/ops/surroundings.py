"""Surroundings of a tile, cut off as soon as no position of the tile needs them."""

from collections.abc import Sequence
from typing import Optional

import tensorflow as tf


def cropped(x: tf.Tensor, crop: Optional[tf.Tensor]) -> tf.Tensor:
    """A map `(b, h, w, ...)` without some positions at its four edges.

    Args:
        x: the map.
        crop: int32 `(4,)`, positions of x to cut at the top, bottom, left and right;
            None: none.
    """
    if crop is None:
        return x
    top, bottom, left, right = tf.unstack(crop)
    height, width = tf.shape(x)[1], tf.shape(x)[2]
    return x[:, top : height - bottom, left : width - right]


def run_in_shrinking_window(
    layers: Sequence, x: tf.Tensor, crop: Optional[tf.Tensor], cell: int, needed: int
) -> tuple:
    """Runs layers, each on what it and the layers after it look at.

    Args:
        layers: each with an attribute `reach`: so many positions away its result looks.
            It may pool cells of 2x2 positions.
        x: float `(b, h, w, c)`, the first layer's input.
        crop: int32 `(4,)`, pixels of surroundings at the top, bottom, left and right of
            the tile, multiples of `2 * cell`; None: all of x is wanted.
        cell: int. Side of a position in pixels.
        needed: int. Positions around the tile that are needed of the result.

    Returns:
        The result, float `(b, h', w', c)`, and int32 `(4,)`, the pixels of surroundings
        that it still has; or None.
    """
    needed += sum(layer.reach for layer in layers)
    for layer in layers:
        x, crop = _shrunk(x, crop, cell, needed)
        x = layer(x)
        needed -= layer.reach
    return _shrunk(x, crop, cell, needed)


def _shrunk(x: tf.Tensor, crop: Optional[tf.Tensor], cell: int, needed: int) -> tuple:
    """A map with `needed` positions of its surroundings, or one more."""
    if crop is None:
        return x, None
    # An even number, so that pooled cells of 2x2 stay the same.
    surplus = tf.maximum(crop // cell - needed, 0) // 2 * 2
    return cropped(x, surplus), crop - cell * surplus
