"""Losses of restored images."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp import metrics
from tf_imgcomp.losses.registry import RESTORATION_LOSSES
from tf_imgcomp.losses.scales import LossScales
from tf_imgcomp.losses.similarity import ms_ssim


def _images(make_image, height, width):
    x = make_image(height, width)
    noise = np.random.default_rng(1).normal(size=x.shape, scale=12)
    x_hat = np.clip(x + noise, 0, 255).astype(np.uint8)
    return x, x_hat


def _floats(*images):
    return [tf.cast(image[None], tf.float32) for image in images]


@pytest.mark.parametrize("size", [(11, 11), (24, 21), (64, 64), (67, 181), (176, 163)])
def test_similarity_is_that_of_the_metric(size, make_image):
    x, x_hat = _images(make_image, *size)
    expected = metrics.ms_ssim(x, x_hat)
    assert 0.1 < expected < 0.999
    np.testing.assert_allclose(ms_ssim(*_floats(x, x_hat)), [expected], rtol=1e-4)


def test_similarity_of_reversed_contrast_has_finite_gradients(make_image):
    (x,) = _floats(make_image(64, 64))
    x_hat = 255 - x
    with tf.GradientTape() as tape:
        tape.watch(x_hat)
        loss = RESTORATION_LOSSES["mae_ms_ssim"](x, x_hat)
    assert np.isfinite(tape.gradient(loss, x_hat)).all()


def test_images_count_by_the_share_of_their_error(make_image):
    x = tf.cast(np.stack([make_image(64, 64)] * 2), tf.float32)
    error = np.random.default_rng(1).normal(size=x.shape[1:], scale=30)
    x_hat = x + np.stack([error, error / 3])
    scale = tf.Variable([1.0, 1.0])
    with tf.GradientTape() as tape:
        loss = RESTORATION_LOSSES["psnr"](
            x, x + (x_hat - x) * scale[:, None, None, None]
        )
    low, high = sorted(tape.gradient(loss, scale).numpy())
    assert 0.75 * high < low < high


def test_scales_can_be_set(make_image):
    x, x_hat = _floats(*_images(make_image, 64, 64))
    error = np.square(x - x_hat).mean()
    scales = LossScales(filter_mse_unit=255.0, filter_psnr_floor=9.0)
    losses = [
        float(RESTORATION_LOSSES[name](x, x_hat, scales)) for name in ("mse", "psnr")
    ]
    assert losses == pytest.approx([error / 255**2, np.log10(error + 81)], rel=1e-5)


def test_losses_in_closed_form(make_image):
    x, x_hat = _images(make_image, 64, 64)
    error = (x.astype(np.float64) - x_hat) / 255
    mae, similarity = np.abs(error).mean(), metrics.ms_ssim(x, x_hat)
    expected = {
        "mae": mae,
        "mae_ms_ssim": mae + (1 - similarity) / 20,
        "mse": (error**2).mean() * 25.5**2,
        "psnr": np.log10((error**2).mean() * 255**2 + 25),
    }
    losses = {
        name: float(f(*_floats(x, x_hat))) for name, f in RESTORATION_LOSSES.items()
    }
    assert losses == pytest.approx(expected, rel=1e-4)
