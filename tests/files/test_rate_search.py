"""The search for a quality finds the last one below a target, in few trials."""

import math

import pytest

from tf_imgcomp.files.rate_search import MAX_TRIALS, bracket

CURVES = {
    "straight": lambda quality: 9 + quality / 20,
    "bent": lambda quality: 9 + 3 * math.log(quality),
    "s-shaped": lambda quality: 9 + 4 / (1 + math.exp((50 - quality) / 9)),
    "noisy": lambda quality: 9 + quality / 20 + 0.01 * math.sin(1e4 * quality),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
@pytest.mark.parametrize("target", [9.3, 10.0, 11.0, 12.5])
def test_the_target_is_enclosed_in_few_trials(curve, target):
    trials = []

    def measure(quality):
        trials.append(quality)
        return curve(quality), None

    low, high = bracket(measure, target)
    assert low.value <= target < high.value
    assert high.quality - low.quality < 0.5
    assert len(trials) == len(set(trials)) <= MAX_TRIALS
    assert all(quality == round(quality, 2) for quality in trials)


def test_targets_out_of_reach_give_the_end_that_is_nearest():
    def measure(quality):
        return quality, None

    low, high = bracket(measure, 0.5)
    assert (low, high.quality) == (None, 1)
    low, high = bracket(measure, 100)
    assert (low.quality, high) == (100, None)
