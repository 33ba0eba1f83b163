import dataclasses
import math

import pytest

from tf_imgcomp.evaluation.comparison import compare
from tf_imgcomp.evaluation.curves import MeanPoint


def mean_points(codec, rates, qualities, ms_ssim_shift=0.0):
    """Returns points whose MS-SSIM and SSIMULACRA2 follow their PSNR."""
    return [
        MeanPoint(
            *(codec, i, 1, rate, psnr, 0.9, psnr - 20 + ms_ssim_shift),
            *(10 * psnr - 290, 0.1, 0.1),
        )
        for i, (rate, psnr) in enumerate(zip(rates, qualities))
    ]


def test_compare_finds_savings_and_margin():
    means = mean_points("new", [0.1, 0.2, 0.4, 0.8], [27, 30, 33, 36])
    means += mean_points("old", [0.2, 0.4, 0.8, 1.6], [27, 30, 33, 36])
    (comparison,) = compare(means, "new", ["old"])
    assert (comparison.codec, comparison.anchor) == ("new", "old")
    assert comparison.bd_rate_psnr == pytest.approx(-50)
    assert comparison.bd_rate_ms_ssim == pytest.approx(-50)
    assert comparison.bd_rate_ssimulacra2 == pytest.approx(-50)
    assert comparison.margin == pytest.approx(3)
    assert (comparison.low, comparison.high) == (0.2, 0.8)


def test_compare_says_when_nothing_can_be_compared():
    means = mean_points("new", [0.1], [30])
    means += mean_points("old", [0.2, 0.4], [27, 30])
    (comparison,) = compare(means, "new", ["old"])
    assert comparison.bd_rate_psnr is None
    assert comparison.bd_rate_ms_ssim is None
    assert comparison.bd_rate_ssimulacra2 is None
    assert comparison.margin is None


def test_an_unknown_score_is_not_compared():
    means = mean_points("new", [0.1, 0.2, 0.4], [27, 30, 33])
    old = mean_points("old", [0.2, 0.4, 0.8], [27, 30, 33])
    means += [dataclasses.replace(point, ssimulacra2=math.nan) for point in old]
    (comparison,) = compare(means, "new", ["old"])
    assert comparison.bd_rate_psnr == pytest.approx(-50)
    assert comparison.bd_rate_ssimulacra2 is None


def test_compare_takes_psnr_and_ms_ssim_apart():
    means = mean_points("new", [0.1, 0.2], [27, 30])
    means += mean_points("old", [0.1, 0.2], [17, 20], ms_ssim_shift=10)
    (comparison,) = compare(means, "new", ["old"])
    assert comparison.bd_rate_psnr is None
    assert comparison.bd_rate_ms_ssim == pytest.approx(0)
    assert comparison.margin == pytest.approx(10)
