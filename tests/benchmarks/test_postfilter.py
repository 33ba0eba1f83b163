"""The table of filters' gains, from points by a formula in place of encoders."""

import numpy as np
import pytest

from tests.programs import load_program
from tf_imgcomp.evaluation.points import Point

postfilter = load_program("postfilter")
COMPLEXITY = {"plain": 500, "busy": 4000}  # Bytes at QP 30.


def measured_by_formula(codec, qp, name, pixels) -> Point:
    """Points that lose a sixth of the bytes and 0.5 dB with each QP."""
    size = round(COMPLEXITY[name] * 2 ** ((30 - qp) / 6))
    quality = {"psnr": 50 - qp / 2, "ms_ssim": 0.9, "ms_ssim_db": 10.0}
    quality["ssimulacra2"] = 70.0
    seconds = {"encode_seconds": 1.0, "decode_seconds": 0.5}
    return Point(codec.name, qp, name, 10, 10, size, size / 12.5, **quality, **seconds)


@pytest.fixture
def measured():
    class Cache:
        measure = staticmethod(measured_by_formula)

    photos = {name: np.zeros((10, 10, 3), np.uint8) for name in COMPLEXITY}
    return postfilter.Measured("bpg", photos, Cache())


def total(measured, qps) -> tuple:
    """The bytes of all images, and their mean PSNR."""
    results = measured.results(qps)
    return sum(r.num_bytes for r in results), np.mean([r.psnr for r in results])


@pytest.mark.parametrize("limit", [400, 1500, 4500, 9000])
def test_uniform_qps_fill_the_budget_and_differ_by_one_at_most(measured, limit):
    qps = measured.uniform(limit)
    assert max(qps) - min(qps) <= 1
    assert total(measured, qps)[0] <= limit
    assert total(measured, [max(qps) - 1] * 2)[0] > limit


@pytest.mark.parametrize("limit", [1500, 4500, 9000])
def test_chosen_qps_fit_and_are_better_than_uniform_ones(measured, limit):
    chosen, uniform = measured.chosen(limit), measured.uniform(limit)
    assert total(measured, chosen)[0] <= limit
    assert total(measured, chosen)[1] > total(measured, uniform)[1]
    assert chosen[0] < chosen[1]  # The plain image is cheap to make better.


def test_a_row_has_means_and_the_smallest_gain():
    plain = [postfilter.Result(100, 30, 0.9, 1.0), postfilter.Result(300, 34, 0.8, 3.0)]
    better = [postfilter.Result(101, 31, 1.0, 2.0), postfilter.Result(301, 34.25, 1, 8)]
    areas = np.array([1_000_000, 2_000_000])
    assert postfilter.row("some", better, plain, areas) == [
        "some",
        f"{8 * 402 / 3e6:.4f}",
        "32.625",
        "1.00000",
        "+0.250",
        "3.00",
    ]
    assert postfilter.row("some", plain, plain, areas)[4] == "-"
