"""The shipped model against the training weights it was made of."""

from pathlib import Path

import pytest
import tensorflow as tf

from tf_imgcomp.codecs.fdram import Fdram
from tf_imgcomp.data.images import read_image
from tf_imgcomp.export import models
from tf_imgcomp.training.weights import load_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def floats():
    """The float model: bytes that it expects of an image at a quality."""
    codec = Fdram()
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    load_weights(codec, ROOT / "weights" / "fdram.npz")

    @tf.function
    def estimated_bytes(image, quality):
        output = codec(image[None], quality[None])
        return (output.y_bits[0] + output.z_bits[0]) / 8

    return estimated_bytes


@pytest.mark.parametrize("quality", [1.0, 20.0, 50.0, 80.0, 100.0])
def test_real_bytes_agree_with_estimated_bits(quality, floats):
    pixels = read_image(ROOT / "examples" / "kitten.png").pixels
    coded = models.load("fdram").compress(pixels, quality)
    expected = float(floats(pixels, tf.constant(quality)))
    assert abs(sum(map(len, coded.strings)) - expected) <= 0.01 * expected + 40
