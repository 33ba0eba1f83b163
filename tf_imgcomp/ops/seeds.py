"""Named streams of random numbers, all derived from one seed."""

import zlib
from typing import Union

import tensorflow as tf


def stream(seed: tf.Tensor, *names: Union[str, int, tf.Tensor]) -> tf.Tensor:
    """Derives the seed of a named stream; different names give different seeds.

        seed ─► "noise" ─► "rate" ─► "y" ─► number of the slice ─► ...

    Args:
        seed: int32 `(2,)`.
        names: path of names, each a word or an int32 scalar.

    Returns:
        int32 `(2,)`.
    """
    for name in names:
        if isinstance(name, str):
            name = zlib.crc32(name.encode()) >> 1  # 31 bits.
        data = tf.cast(name, tf.int32)
        seed = tf.random.experimental.stateless_fold_in(seed, data)
    return seed
