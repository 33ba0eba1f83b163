"""The loss of mfca_pmcn's report."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp.codecs.base import CodecOutput
from tf_imgcomp.losses.mfca_pmcn import mfca_pmcn_cost, mfca_pmcn_loss
from tf_imgcomp.losses.scales import LossScales

LMBDA = 0.04
L1, MSE, BPP, Z_BPP, QUANTIZATION = 10 / 255, (10 / 255) ** 2, 0.75, 0.25, 0.09


@pytest.fixture
def images():
    return tf.fill((2, 8, 16, 3), tf.constant(100, tf.uint8))


@pytest.fixture
def output(images):
    """Every colour value 10 too high, every latent 0.3 from its integer."""
    return CodecOutput(
        x_hat=tf.cast(images, tf.float32) + 10,
        y_bits=tf.constant([0.5 * 128] * 2),
        z_bits=tf.constant([0.25 * 128] * 2),
        y=tf.fill((2, 4, 4, 5), 1.3),
        y_hat=tf.ones((2, 4, 4, 5)),
    )


def _loss(images, output, lmbda):
    return mfca_pmcn_loss(images, output, tf.fill([2], lmbda))


def test_it_is_the_reports_where_both_are_of_one_slope(images, output):
    terms = _loss(images, output, LMBDA)
    expected = L1 + 0.1 * MSE + 0.01 * BPP + 0.1 * QUANTIZATION
    assert float(terms.loss) == pytest.approx(expected, rel=1e-5)
    figures = {name: float(value) for name, value in terms._asdict().items()}
    del figures["loss"]
    assert figures == pytest.approx(
        {
            "l1": L1,
            "mse": 100,
            "bpp": BPP,
            "z_bpp": Z_BPP,
            "quantization": QUANTIZATION,
        },
        rel=1e-5,
    )


def test_elsewhere_distortion_and_rate_are_weighted_against_each_other(images, output):
    distortion = L1 + 0.1 * MSE + 0.1 * QUANTIZATION
    loss = _loss(images, output, 4 * LMBDA).loss
    assert float(loss) == pytest.approx(2 * distortion + 0.01 * BPP / 2, rel=1e-5)


def test_its_weights_can_be_set(images, output):
    scales = LossScales(
        report_mse=0.5, report_rate=0.02, report_quantization=0.3, report_lmbda=0.16
    )
    loss = mfca_pmcn_loss(images, output, tf.fill([2], 0.04), scales).loss
    distortion = L1 + 0.5 * MSE + 0.3 * QUANTIZATION
    assert float(loss) == pytest.approx(distortion / 2 + 2 * 0.02 * BPP, rel=1e-5)


def test_a_decoded_image_is_judged_without_quantization(images, output):
    x = tf.cast(images, tf.float32)
    costs = mfca_pmcn_cost(x, output.x_hat, tf.fill([2], BPP), tf.fill([2], LMBDA))
    np.testing.assert_allclose(costs, L1 + 0.1 * MSE + 0.01 * BPP, rtol=1e-5)


def test_latents_are_drawn_to_their_integers(images, output):
    y = tf.constant(np.random.default_rng(1).normal(size=(2, 4, 4, 5)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(y)
        y_hat = y + tf.stop_gradient(tf.round(y) - y)  # Straight through.
        terms = _loss(images, output._replace(y=y, y_hat=y_hat), LMBDA)
    expected = 0.1 * 2 * (y - tf.round(y)) / tf.size(y, tf.float32)
    np.testing.assert_allclose(tape.gradient(terms.loss, y), expected, atol=1e-7)


def test_a_larger_weight_favours_the_better_image(images, output):
    lmbdas = np.geomspace(1e-4, 1, 9).astype(np.float32)
    x = tf.cast(images, tf.float32)

    def cost(x_hat, bpp):
        costs = [
            mfca_pmcn_cost(x, x_hat, tf.fill([2], bpp), tf.fill([2], w)) for w in lmbdas
        ]
        return np.array(costs)

    advantage = cost(x + 10, 0.5) - cost(x + 3, 2.0)
    assert np.all(np.diff(advantage, axis=0) > 0)
    assert np.all(advantage[0] < 0)
    assert np.all(advantage[-1] > 0)
