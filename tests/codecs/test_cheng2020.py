"""Properties of cheng2020 alone: its sizes, its context, its initialization."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.codecs.cheng2020 import Cheng2020Analysis, Cheng2020Synthesis
from tf_imgcomp.codecs.registry import new_codec

WIDTHS = (12, 24, 40, 64)


@pytest.mark.slow
@pytest.mark.parametrize(("num_filters", "millions"), [(128, 12.6), (192, 27.1)])
def test_published_sizes_have_the_authors_parameters(num_filters, millions):
    codec = new_codec("cheng2020", {"num_filters": num_filters})
    count = sum(v.shape.num_elements() for v in codec.trainable_variables)
    # The paper masks a 5x5 kernel; our kernel lacks the 13 masked taps.
    count += 13 * num_filters * 2 * num_filters
    assert count / 1e6 == pytest.approx(millions, rel=0.02)


@pytest.mark.slow
def test_contexts_differ_in_nothing_but_the_order():
    sizes = {"num_filters": WIDTHS}
    raster, checkerboard = (
        new_codec("cheng2020", {**sizes, "coder": {"context": context}})
        for context in ("raster", "checkerboard")
    )
    shapes = [v.shape for v in raster.trainable_variables]
    assert shapes == [v.shape for v in checkerboard.trainable_variables]
    assert raster.config.coder.context == "raster"


def test_number_of_latents_follows_from_the_width():
    codec = new_codec("cheng2020", {"num_filters": WIDTHS})
    assert codec.config.coder.slices == (WIDTHS[-1],)


def test_synthesis_inverts_analysis_from_the_start(make_image):
    tf.keras.utils.set_random_seed(1)
    analysis, synthesis = Cheng2020Analysis(WIDTHS, 8), Cheng2020Synthesis(WIDTHS, 8)

    def kept(x):
        return synthesis(analysis(x, None), None)

    x = kept(make_image(128, 192)[None] / 127.5 - 1)  # 64 of 768 numbers.
    assert np.std(x) > 0.4
    psnr = 10 * np.log10(4 / np.mean((kept(x) - x) ** 2))
    assert psnr > 30


@pytest.mark.slow
def test_codec_reaches_more_with_quality_from_the_start(make_image):
    codec = new_codec("cheng2020", {"num_filters": WIDTHS})
    x = make_image(64, 128)[None]
    outputs = [codec(x, tf.constant([q])) for q in (1.0, 50.0, 100.0)]
    errors = [float(tf.reduce_mean((o.x_hat - x) ** 2)) for o in outputs]
    assert errors[0] > errors[1] > errors[2]
    assert outputs[0].y_bits < outputs[1].y_bits < outputs[2].y_bits
