"""The shipped models against the training weights they were made from."""

import numpy as np
import pytest
import tensorflow as tf

from tests.programs import ROOT, load_program
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.ops.rounding import round_half_up
from tf_imgcomp.regions import Region
from tf_imgcomp.runs.keras_models import load_trained

estimation = load_program("estimation")


@pytest.fixture(
    scope="module", params=["fdram", "fdram_ms_ssim", "mfca_pmcn", "cheng2020"]
)
def shipped(request):
    """A model, and its float model's estimate for the coded integers, in bytes."""
    model = models.load(request.param)
    codec = load_trained(ROOT / "saved_models" / request.param)

    @tf.function
    def estimated_bytes(image, y_hat, quality):
        y, _ = codec.analysis_and_importance(image[None], quality[None])
        z = codec.latent_coder.run_hyper_analysis(y, codec.rate_features(quality[None]))
        return estimation.estimated_bits(codec, y_hat, round_half_up(z), quality) / 8

    return model, estimated_bytes


@pytest.mark.slow
@pytest.mark.parametrize("quality", [1.0, 20.0, 50.0, 80.0, 100.0])
def test_real_bytes_agree_with_estimated_bits(quality, shipped):
    model, estimated_bytes = shipped
    pixels = read_image(ROOT / "examples" / "kitten.png").pixels
    coded = model.compress(pixels, quality)
    y_hat = model.latents(coded, *pixels.shape[:2])
    expected = float(estimated_bytes(pixels, y_hat, tf.constant(quality)))
    size = sum(map(len, coded.first + coded.rest))
    assert abs(size - expected) <= 0.01 * expected + 40


@pytest.mark.slow
def test_a_region_of_a_shipped_codec_is_that_part_of_the_whole(shipped):
    """The synthesis sees fewer latents; sums of float32 are the same all the same."""
    model, _ = shipped
    pixels = read_image(ROOT / "examples" / "kitten.png").pixels
    height, width, _ = pixels.shape
    coded = model.compress(pixels, 60.0)
    whole = model.decompress(coded, height, width)
    for region in (Region(0, 0, 50, 60), Region(100, 330, 50, 54)):
        part = model.decompress(coded, height, width, region)
        np.testing.assert_array_equal(part, whole[region.slices])
