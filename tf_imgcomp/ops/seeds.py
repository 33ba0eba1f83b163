"""Streams of random numbers with names, all from one seed."""

import zlib
from typing import Union

import tensorflow as tf


def stream(seed: tf.Tensor, *names: Union[str, int, tf.Tensor]) -> tf.Tensor:
    """The seed of a stream of random numbers that no other names lead to.

        seed ─► "noise" ─► "y" ─► number of the slice ─► ...

    Args:
        seed: int32 `(2,)`.
        names: one after another, each a word or an int32 scalar.

    Returns:
        int32 `(2,)`.
    """
    for name in names:
        if isinstance(name, str):
            name = zlib.crc32(name.encode()) >> 1  # 31 bits.
        data = tf.cast(name, tf.int32)
        seed = tf.random.experimental.stateless_fold_in(seed, data)
    return seed
