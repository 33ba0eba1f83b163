"""The shipped models against the training weights they were made of."""

from pathlib import Path

import pytest
import tensorflow as tf

from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.data.images import read_image
from tf_imgcomp.export import models
from tf_imgcomp.training.weights import load_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["fdram", "mfca_pmcn"])
def shipped(request):
    """A model, and what its float model expects of an image at a quality, in bytes."""
    model = models.load(request.param)
    codec = new_codec(model.card["codec"], model.card["sizes"])
    load_weights(codec, ROOT / "weights" / f"{request.param}.npz")

    @tf.function
    def estimated_bytes(image, quality):
        output = codec(image[None], quality[None])
        return (output.y_bits[0] + output.z_bits[0]) / 8

    return model, estimated_bytes


@pytest.mark.parametrize("quality", [1.0, 20.0, 50.0, 80.0, 100.0])
def test_real_bytes_agree_with_estimated_bits(quality, shipped):
    model, estimated_bytes = shipped
    pixels = read_image(ROOT / "examples" / "kitten.png").pixels
    coded = model.compress(pixels, quality)
    expected = float(estimated_bytes(pixels, tf.constant(quality)))
    assert abs(sum(map(len, coded.strings)) - expected) <= 0.01 * expected + 40
