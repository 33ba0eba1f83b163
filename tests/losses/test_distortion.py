"""Distortions on the scale of squared errors, and the Lagrangian of each."""

import numpy as np
import pytest
import tensorflow as tf

from tf_imgcomp import metrics
from tf_imgcomp.losses.distortion import DISTORTIONS
from tf_imgcomp.losses.rate_distortion import lagrangian
from tf_imgcomp.losses.scales import LossScales

each = pytest.mark.parametrize("name", DISTORTIONS)


@pytest.fixture
def images(make_image):
    """Two images and possible reconstructions, float32, 0 to 255."""
    x = np.stack([make_image(64, 64, seed) for seed in (0, 1)])
    noise = np.random.default_rng(1).normal(size=x.shape, scale=12)
    return [tf.cast(a, tf.float32) for a in (x, np.clip(x + noise, 0, 255) // 1)]


def test_distortions_in_closed_form(images):
    x, x_hat = (image.numpy().astype(np.float64) for image in images)
    pairs = list(zip(x.astype(np.uint8), x_hat.astype(np.uint8)))
    mse = np.array([metrics.mse(*pair) for pair in pairs])
    ms_ssim = 1275 * (1 - np.array([metrics.ms_ssim(*pair) for pair in pairs]))
    expected = {
        "mse": mse,
        "ms_ssim": ms_ssim,
        "mae": 2 * np.abs(x - x_hat).mean((1, 2, 3)) ** 2,
        "mix": (mse + ms_ssim) / 2,
    }
    assert expected.keys() == DISTORTIONS.keys()
    for name, distortion in DISTORTIONS.items():
        np.testing.assert_allclose(distortion(*images), expected[name], rtol=1e-3)


def test_the_scale_of_ms_ssim_can_be_set(images):
    double = LossScales(ms_ssim=2550.0)
    mse = DISTORTIONS["mse"](*images, double)
    once, twice = (DISTORTIONS["ms_ssim"](*images, *s) for s in ([], [double]))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)
    mixed = DISTORTIONS["mix"](*images, double)
    np.testing.assert_allclose(mixed, (mse + twice) / 2, rtol=1e-6)


@each
def test_equal_images_have_no_distortion(name, images):
    np.testing.assert_allclose(DISTORTIONS[name](images[0], images[0]), 0, atol=1e-3)


def test_absolute_errors_count_like_squares_of_laplacian_ones():
    x_hat = tf.cast(np.random.default_rng(1).laplace(0, 5, (1, 256, 256, 3)), "float32")
    mae, mse = (DISTORTIONS[n](tf.zeros_like(x_hat), x_hat) for n in ("mae", "mse"))
    np.testing.assert_allclose(mae, mse, rtol=0.02)


@each
def test_gradients_are_finite_and_lead_to_the_original(name, images):
    x, x_hat = images
    for start in (x_hat, x, 255 - x):
        with tf.GradientTape() as tape:
            tape.watch(start)
            distortion = DISTORTIONS[name](x, start)
        gradient = tape.gradient(distortion, start)
        assert np.isfinite(gradient).all()
        descent = start - 1e-2 * gradient / (tf.norm(gradient) + 1e-9)
        assert np.all(DISTORTIONS[name](x, descent) <= distortion + 1e-3)


@each
def test_a_larger_weight_favours_the_better_image(name, images):
    x, coarse = images
    fine = (x + coarse) / 2
    lmbdas = np.geomspace(1e-4, 1, 9).astype(np.float32)

    def cost(x_hat, bpp):
        costs = [lagrangian(x, x_hat, [bpp] * 2, [w] * 2, name) for w in lmbdas]
        return np.array(costs)

    advantage = cost(coarse, 0.5) - cost(fine, 1.0)
    assert np.all(np.diff(advantage, axis=0) > 0)
    assert np.all(advantage[0] < 0)
    assert np.all(advantage[-1] > 0)
