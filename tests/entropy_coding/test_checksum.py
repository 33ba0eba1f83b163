"""The checksum of latents is the one of docs/file_format.md."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.entropy_coding import symbol_coding

PERIOD = 65519
FAR = 2**24 - 1  # No latent is farther from zero.


def documented(*latents) -> int:
    flat = np.concatenate([np.ravel(each) for each in latents])
    factors = 40503 * np.arange(flat.size) % PERIOD + 1
    return sum(map(int, factors * flat.astype(np.int64))) % 65521


@pytest.mark.parametrize("size", [1, 100, PERIOD - 1, PERIOD, PERIOD + 1, 200_000])
@pytest.mark.parametrize("reach", [2, FAR])
def test_the_checksum_is_the_documented_one(size, reach):
    random = np.random.default_rng(size)
    z, y = (
        random.integers(-reach, reach, (1, 1, n, 1), endpoint=True) for n in (7, size)
    )
    received = symbol_coding.checksum(
        *(tf.constant(each, tf.float32) for each in (z, y))
    )
    assert received[0] == documented(z, y)


@pytest.mark.parametrize("value", [-FAR, FAR])
def test_sums_of_the_largest_latents_do_not_wrap_around(value):
    latents = np.full([130 * PERIOD + 3], value, np.float32)
    assert symbol_coding.checksum(tf.constant(latents[None]))[0] == documented(latents)
