"""Which latents the parameters of a latent depend on."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import tiny
from tf_imgcomp.entropy import passes
from tf_imgcomp.entropy.latent_coder import LatentCoder

HEIGHT, WIDTH = 4, 8
SIZES = {
    **tiny.sizes()["coder"],
    "slices": (4,),
    "context": "raster",
    "components": 3,
    "tied": False,
    "embedding": None,
}


@pytest.fixture(scope="module")
def networks():
    """Networks of a slice in raster order, from a built coder."""
    tf.keras.utils.set_random_seed(1)
    coder = LatentCoder(SIZES, [1.0] * 4)
    coder(tf.zeros((1, HEIGHT, WIDTH, 4)), tf.zeros((1, 4)), tf.zeros((1, 3)))
    for variable in coder.trainable_variables:
        variable.assign_add(tf.random.normal(variable.shape, stddev=0.2))
    return coder.slices[0]


def _parameters(networks, y):
    known = tf.random.stateless_normal((1, HEIGHT, WIDTH, 8 + 3), [3, 4])
    embedded = networks.embed(tf.constant(y, tf.float32))
    return passes.parameters_around(networks, known, embedded)[0].numpy()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, HEIGHT * WIDTH - 1), st.integers(0, 2**32 - 1))
def test_in_raster_order_a_latent_tells_only_later_ones(networks, place, seed):
    y = np.random.default_rng(seed).integers(-9, 9, (1, HEIGHT, WIDTH, 4))
    row, column = divmod(place, WIDTH)
    before = _parameters(networks, y)
    y[0, row, column] += 5
    changed = np.any(_parameters(networks, y) != before, axis=-1)
    told = {(int(i), int(j)) for i, j in np.argwhere(changed)}
    window = {(row, column + 1), (row, column + 2)}
    window |= {(row + i, column + j) for i in (1, 2) for j in range(-2, 3)}
    assert told == {(i, j) for i, j in window if i < HEIGHT and 0 <= j < WIDTH}


def test_strides_and_growths_that_do_not_match_are_refused():
    message = r"a product of 4, received \[1, 2, 2\] and \[2\]"
    with pytest.raises(ValueError, match=message):
        LatentCoder({**SIZES, "hyper_synthesis": ((8, 2),)}, [])
