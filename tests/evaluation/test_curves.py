import bjontegaard
import numpy as np
import pytest

from tf_imgcomp.evaluation import curves
from tf_imgcomp.evaluation.points import Point

RATES = np.array([0.1, 0.2, 0.4, 0.8, 1.6])
# Measured by another program on the 24 Kodak images.
JPEG = curves.curve(
    [0.1408, 0.2555, 0.4491, 0.6829, 0.8692, 1.0978, 1.5490, 2.3154],
    [23.852, 26.672, 29.145, 31.013, 32.174, 33.360, 35.370, 38.034],
)
JPEG2000 = curves.curve(
    [0.0993, 0.1493, 0.2491, 0.3984, 0.5991, 0.8983, 1.1992, 1.5982],
    [26.336, 27.521, 29.231, 31.129, 33.063, 35.315, 37.135, 39.115],
)


def point(codec, setting, bpp, psnr, ms_ssim, score=70.0):
    return Point(
        codec, setting, "image", 8, 8, 1, bpp, psnr, ms_ssim, 0, score, 1.0, 2.0
    )


def test_mean_points_average_over_images():
    points = [
        point("b", 2, bpp=1.0, psnr=30, ms_ssim=0.98, score=-20),
        point("a", 2, bpp=9.0, psnr=40, ms_ssim=0.5, score=np.nan),
        point("b", 2, bpp=2.0, psnr=34, ms_ssim=1.0, score=40),
    ]
    first, second = curves.mean_points(points)
    assert (first.codec, first.setting, first.num_images) == ("b", 2, 2)
    assert (first.bpp, first.psnr) == (1.5, 32)
    assert first.ms_ssim_db == pytest.approx(20)
    assert first.ssimulacra2 == 10
    assert (first.encode_seconds, first.decode_seconds) == (1, 2)
    assert (second.codec, second.num_images) == ("a", 1)
    assert np.isnan(second.ssimulacra2)


def test_a_curve_is_sorted_and_leaves_useless_points_out():
    curve = curves.curve([0.4, 0.1, 0.3, 0.2, 0.2, 0.9], [34, 28, 30, 30, 29, np.inf])
    assert curve.bpp.tolist() == [0.1, 0.2, 0.4]
    assert curve.quality.tolist() == [28, 30, 34]


def test_a_curve_needs_two_points():
    with pytest.raises(ValueError, match="at least 2 points .* received 1"):
        curves.curve([0.1, 0.2], [30, 29])


def test_a_curve_passes_through_its_points():
    quality = JPEG.quality_at(np.array([0.1408, 0.3, 0.5, 0.75, 3]))
    np.testing.assert_allclose(
        quality, [23.852, 27.39, 29.62, 31.46, np.nan], atol=0.01
    )


def test_bd_rate_of_a_constant_saving():
    anchor = curves.curve(RATES, [26, 29, 32, 35, 38])
    test = curves.curve(0.7 * RATES, [26, 29, 32, 35, 38])
    assert curves.bd_rate(anchor, test) == pytest.approx(-30)
    assert curves.bd_rate(test, anchor) == pytest.approx(100 / 0.7 - 100)
    assert curves.bd_rate(anchor, anchor) == pytest.approx(0)


def test_bd_rate_takes_negative_scores():
    anchor = curves.curve(RATES, [-60, -5, 40, 70, 85])
    test = curves.curve(0.7 * RATES, [-60, -5, 40, 70, 85])
    assert curves.bd_rate(anchor, test) == pytest.approx(-30)


def test_bd_rate_hardly_depends_on_the_interpolation():
    akima = bjontegaard.bd_rate(*JPEG2000, *JPEG, method="akima")
    assert curves.bd_rate(JPEG2000, JPEG) == pytest.approx(akima, rel=0.01)


def test_bd_rate_needs_common_qualities():
    low, high = curves.curve(RATES[:2], [20, 21]), curves.curve(RATES[:2], [30, 31])
    with pytest.raises(ValueError, match="received 20 to 21 and 30 to 31"):
        curves.bd_rate(low, high)
    nearly = curves.curve(RATES[:2], [20.1, 21.1])
    with pytest.raises(ValueError, match="two curves with 1 dB or point in common"):
        curves.bd_rate(low, nearly)


def test_bd_psnr_of_a_constant_distance():
    lower = curves.curve(RATES, [26, 29, 32, 35, 38])
    upper = curves.curve(RATES, [26.5, 29.5, 32.5, 35.5, 38.5])
    assert curves.bd_psnr(lower, upper) == pytest.approx(0.5)
    assert curves.bd_psnr(upper, lower) == pytest.approx(-0.5)


def test_bd_psnr_needs_common_rates():
    low, high = curves.curve(RATES[:2], [20, 21]), curves.curve(RATES[3:], [30, 31])
    with pytest.raises(ValueError, match="received 0.1 to 0.2 bpp and 0.8 to 1.6 bpp"):
        curves.bd_psnr(low, high)


def test_margin_of_a_constant_distance():
    lower = curves.curve(RATES, [26, 29, 32, 35, 38])
    upper = curves.curve(RATES, [26.5, 29.5, 32.5, 35.5, 38.5])
    assert curves.smallest_margin(upper, lower, 0.1, 1.6).db == pytest.approx(0.5)
    assert curves.smallest_margin(lower, upper, 0.15, 1).db == pytest.approx(-0.5)


def test_margin_is_found_where_it_is_smallest():
    lower = curves.curve(RATES, [26, 29, 32, 35, 38])
    upper = curves.curve(RATES, [28, 30, 32.2, 36, 41])
    margin = curves.smallest_margin(upper, lower, 0.1, 1.6)
    assert margin.db == pytest.approx(0.2, abs=0.05)
    assert margin.bpp == pytest.approx(0.4, rel=0.2)


def test_margin_between_kodak_curves():
    margin = curves.smallest_margin(JPEG2000, JPEG, 0.15, 1.0)
    assert 2.4 < margin.db < 2.7
    assert curves.smallest_margin(JPEG, JPEG2000, 0.15, 1.0).db < -3


def test_margin_needs_curves_that_cover_the_rates():
    with pytest.raises(ValueError, match="0.1 to 1 bpp, received 0.1408 to 2.315 bpp"):
        curves.smallest_margin(JPEG2000, JPEG, 0.1, 1.0)
