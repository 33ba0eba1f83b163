"""The reach: how far a pixel looks, measured when a codec is exported."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.export.reach import synthesis_reach

QUALITY = tf.constant([50.0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fdram", "cheng2020"])
def test_what_is_beyond_the_reach_changes_no_pixel(name):
    codec = tiny.random_codec(name=name)
    reach, depth = synthesis_reach(codec), codec.config.coder.latent_depth
    assert 2 < reach < 24
    rng = np.random.default_rng(2)
    y_hat = rng.integers(-9, 10, (1, 8, 64, depth)).astype(np.float32)
    beyond = y_hat.copy()
    beyond[:, :, 12 + reach :] *= -1
    nearest = y_hat.copy()
    nearest[:, :, 12 : 12 + reach] *= -1
    part, same, other = (
        codec.synthesis(each, QUALITY)[:, :, : 16 * 12].numpy()
        for each in (y_hat, beyond, nearest)
    )
    np.testing.assert_array_equal(part, same)
    assert (part != other).any()


@pytest.mark.slow
def test_attention_over_windows_reaches_too_far():
    assert synthesis_reach(tiny.random_codec(name="mfca_pmcn")) is None
