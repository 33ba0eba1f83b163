import math

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from tf_imgcomp import metrics


def ms_ssim_reference(x, x_hat, weights=(0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
    """MS-SSIM by its definition, for sides divisible by 16."""
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()

    def blur(a):
        rows = correlate1d(a, window, axis=0)[5:-5]
        return correlate1d(rows, window, axis=1)[:, 5:-5]

    def halve(a):
        return a.reshape(len(a) // 2, 2, -1, 2, 3).mean(axis=(1, 3))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    a, b = x.astype(float), x_hat.astype(float)
    result = 1.0
    for scale, weight in enumerate(weights):
        if scale:
            a, b = (halve(image) for image in (a, b))
        mean_a, mean_b = blur(a), blur(b)
        variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
        covariance = blur(a * b) - mean_a * mean_b
        term = (2 * covariance + c2) / (variances + c2)
        if scale == len(weights) - 1:
            term *= (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        result *= term.mean(axis=(0, 1)) ** weight
    return result.mean()


def add_noise(x, amplitude, seed=1):
    noise = np.random.default_rng(seed).integers(-amplitude, amplitude + 1, x.shape)
    return np.clip(x.astype(int) + noise, 0, 255).astype(np.uint8)


def test_psnr_of_a_constant_difference():
    x = np.full((4, 5, 3), 100, np.uint8)
    x_hat = np.full((4, 5, 3), 103, np.uint8)
    assert metrics.mse(x, x_hat) == metrics.mse(x_hat, x) == 9
    assert metrics.psnr(x, x_hat) == pytest.approx(20 * math.log10(255 / 3))


def test_psnr_averages_the_error_over_channels():
    x = np.zeros((2, 2, 3), np.uint8)
    x_hat = x + np.array([255, 0, 0], np.uint8)
    assert metrics.psnr(x, x_hat) == pytest.approx(10 * math.log10(3))


def test_equal_images_are_perfect(make_image):
    x = make_image(32, 48)
    assert metrics.psnr(x, x) == math.inf
    assert metrics.ms_ssim(x, x) == pytest.approx(1)


@pytest.mark.parametrize("amplitude", [3, 20, 60])
def test_ms_ssim_agrees_with_its_definition(make_image, amplitude):
    x = make_image(176, 192)
    x_hat = add_noise(x, amplitude)
    expected = ms_ssim_reference(x, x_hat)
    assert metrics.ms_ssim(x, x_hat) == pytest.approx(expected, abs=3e-5)


def test_ssim_agrees_with_its_definition(make_image):
    x = make_image(32, 48)
    x_hat = add_noise(x, 20)
    expected = ms_ssim_reference(x, x_hat, weights=(1.0,))
    assert metrics.ssim(x, x_hat) == pytest.approx(expected, abs=3e-5)
    assert metrics.ssim(x, x) == pytest.approx(1)


@pytest.mark.parametrize("side", [1, 10, 11, 20, 21, 40, 41, 80, 81, 160, 161])
def test_ms_ssim_of_small_images_uses_the_scales_that_fit(make_image, side):
    x = make_image(side, 170)
    similarities = [metrics.ms_ssim(x, add_noise(x, a)) for a in (2, 60)]
    assert 0 < similarities[1] < similarities[0] <= 1


def test_equal_images_have_a_score_of_100(make_image):
    for x in (make_image(225, 300), np.zeros((300, 225, 3), np.uint8)):
        assert metrics.ssimulacra2(x, x) == pytest.approx(100)


@pytest.mark.parametrize("grey", [False, True])
def test_ssimulacra2_falls_with_distortion(make_image, grey):
    x = make_image(240, 256)
    noisy = [add_noise(x, amplitude) for amplitude in (1, 4, 16, 64)]
    if grey:
        x, *noisy = (np.repeat(image[..., :1], 3, axis=-1) for image in (x, *noisy))
    scores = [metrics.ssimulacra2(x, x_hat) for x_hat in (x, *noisy)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 224), (224, 224)])
def test_a_small_image_has_no_score(make_image, size):
    x = make_image(*size)
    assert math.isnan(metrics.ssimulacra2(x, x))


def test_ms_ssim_in_decibels():
    assert metrics.ms_ssim_db(0.99) == pytest.approx(20)
    assert metrics.ms_ssim_db(1.0) == math.inf


@pytest.mark.parametrize(
    "metric",
    [metrics.mse, metrics.psnr, metrics.ssim, metrics.ms_ssim, metrics.ssimulacra2],
)
def test_wrong_inputs_are_refused(metric):
    x = np.zeros((16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match="Expected uint8 pixels, received float64"):
        metric(x / 255, x)
    with pytest.raises(ValueError, match=r"received \(16, 16, 3\) and \(8, 16, 3\)"):
        metric(x, x[:8])


def test_ssimulacra2_refuses_what_is_not_rgb():
    x = np.zeros((16, 16, 1), np.uint8)
    with pytest.raises(
        ValueError, match=r"an RGB image .* received shape \(16, 16, 1\)"
    ):
        metrics.ssimulacra2(x, x)


def test_ms_ssim_refuses_a_batch():
    x = np.zeros((1, 16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match=r"received shape \(1, 16, 16, 3\)"):
        metrics.ms_ssim(x, x)
