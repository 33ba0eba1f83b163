"""The encoder's correction of latents by what the decoder gets wrong."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.codecs import feedback
from tf_imgcomp.codecs.registry import new_codec

QUALITY = tf.constant([70.0])
NAMES = ("fdram", "mfca_pmcn")  # Whose decoders invert them before training.


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_corrected_where_the_decoder_inverts_the_encoder(name, make_image):
    images = 64 + make_image(64, 128)[None].astype(np.float32) / 2  # None is clipped.
    codec = new_codec(name, {**tiny.sizes(name), "feedback": (0.6,)})
    y = codec.analysis(images, QUALITY)
    corrected = feedback.corrected(codec, y, images, QUALITY)
    np.testing.assert_allclose(corrected, y, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NAMES, "cheng2020"])
def test_each_step_lowers_the_error_of_the_decoder(name, make_image):
    images = make_image(64, 128)[None].astype(np.float32)
    errors = []
    for shares in (), (0.6,), (0.6, 0.4):
        codec = tiny.randomized({**tiny.sizes(name), "feedback": shares}, 1, name)
        x_hat = codec(images, QUALITY, corrected=True).x_hat
        errors.append(float(tf.reduce_mean(tf.square(images - x_hat))))
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_training_sees_corrected_latents_only_where_asked(name, make_image):
    images = make_image(64, 64)[None]
    codec = tiny.randomized({**tiny.sizes(name), "feedback": (0.6,)}, 1, name)
    y = codec.analysis(images, QUALITY)
    np.testing.assert_array_equal(codec(images, QUALITY).y, y)
    corrected = codec(images, QUALITY, corrected=True).y
    expected = feedback.corrected(codec, y, images, QUALITY)
    np.testing.assert_array_equal(corrected, expected)
    assert not np.allclose(corrected, y, atol=0.02)
