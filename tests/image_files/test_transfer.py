"""Transfer functions."""

import numpy as np
import pytest

from tf_imgcomp.image_files import transfer

LEVELS = np.linspace(0, 1, 256)


def test_curve_of_srgb_is_undone():
    back = transfer.to_srgb_curve(transfer.SRGB.to_linear(LEVELS))
    np.testing.assert_allclose(back, LEVELS, atol=1e-6)


@pytest.mark.parametrize("curve", [transfer.SRGB, transfer.BT709, transfer.SMPTE240])
def test_curves_have_no_step_and_reach_one(curve):
    below, above = curve.to_linear(np.array([curve.d - 1e-9, curve.d + 1e-9]))
    assert above == pytest.approx(below, abs=1e-3)
    assert curve.to_linear(np.array([1.0])) == pytest.approx(1)


@pytest.mark.parametrize("to_linear", [transfer.pq_to_linear, transfer.hlg_to_linear])
def test_high_dynamic_range_fits_into_standard_range(to_linear):
    light = to_linear(LEVELS)
    assert (np.diff(light) >= 0).all()
    assert light[0] == pytest.approx(0, abs=1e-6)
    assert 0.99 < light[-1] <= 1


def test_pq_keeps_light_up_to_three_quarters_of_white():
    # 100 of 203 cd/m2 (BT.2408).
    assert transfer.pq_to_linear(np.array(0.508078)) == pytest.approx(
        100 / 203, rel=1e-3
    )


def test_white_of_pq_and_hlg_is_the_same():
    # Code values of 203 cd/m2 (BT.2408).
    pq, hlg = (
        transfer.pq_to_linear(np.array(0.5807)),
        transfer.hlg_to_linear(np.array(0.75)),
    )
    assert pq == pytest.approx(hlg, rel=1e-2)
    assert 0.85 < pq < 1
