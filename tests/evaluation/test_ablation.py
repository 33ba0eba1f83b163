"""Tables and plots of variants' curves."""

import pytest

from tf_imgcomp.evaluation import ablation
from tf_imgcomp.evaluation.ablation import Step
from tf_imgcomp.evaluation.curves import MeanPoint

STEPS = [
    Step("attention", "with", "without", claim=0.2),
    Step("context", "far", "without"),
    Step("nothing", "missing", "without"),
]


def variant(name, psnrs, seconds=(1.0, 2.0, 3.0), rates=(0.1, 0.16, 0.4)):
    return [
        MeanPoint(name, rate, 24, rate, psnr, 0.9, 10.0, 70.0, 0.5, second)
        for rate, psnr, second in zip(rates, psnrs, seconds)
    ]


MEANS = [
    *variant("without", (26.0, 28.0, 30.0)),
    *variant("with", (26.5, 28.5, 30.5), seconds=(0.1, 0.2, 0.3)),
    *variant("far", (40.0, 41.0, 42.0), rates=(1.0, 2.0, 3.0)),
]


def test_a_constant_distance_is_the_gain_everywhere():
    gain, _ = ablation.gains(MEANS, STEPS)
    assert (gain.bd_psnr, gain.gain) == (pytest.approx(0.5), pytest.approx(0.5))
    assert gain.claim == 0.2
    # Of the rate nearest to 0.15.
    assert (gain.decode_seconds, gain.against_decode_seconds) == (0.2, 2.0)


def test_curves_that_do_not_meet_have_no_gain():
    _, far = ablation.gains(MEANS, STEPS)
    assert (far.variant, far.bd_psnr, far.gain) == ("far", None, None)


def test_table_leaves_blank_what_is_not_known():
    first, second = ablation.gains_table(ablation.gains(MEANS, STEPS)).splitlines()[2:]
    assert [cell.strip() for cell in first.strip("|").split("|")][3:] == [
        *("+0.50 dB", "+0.50 dB", "+0.20 dB", "0.200", "2.000")
    ]
    assert [cell.strip() for cell in second.strip("|").split("|")][3:6] == ["", "", ""]
