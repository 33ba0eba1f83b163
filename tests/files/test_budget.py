"""Bytes shared out among images: never too many, as good as an exhaustive search."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.files.budget import Point, search, share_out

curves = st.lists(
    st.lists(
        st.builds(
            Point,
            st.floats(1, 100),
            st.integers(1, 100),
            st.floats(20, 50, allow_subnormal=False),
        ),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=4,
)


def _bytes(points) -> int:
    return sum(point.num_bytes for point in points)


def _psnr(points) -> float:
    return sum(point.psnr for point in points)


@settings(max_examples=200, deadline=None)
@given(curves, st.integers(0, 100))
def test_shares_fit_and_lose_at_most_one_step(curves, spare):
    budget = spare + sum(min(p.num_bytes for p in curve) for curve in curves)
    chosen = share_out(curves, budget)
    assert all(point in curve for point, curve in zip(chosen, curves))
    assert _bytes(chosen) <= budget
    fitting = (c for c in itertools.product(*curves) if _bytes(c) <= budget)
    best = max(map(_psnr, fitting))
    span = max(
        max(p.psnr for p in curve) - min(p.psnr for p in curve) for curve in curves
    )
    assert _psnr(chosen) >= best - span


def test_slopes_decide_and_not_the_images_sizes():
    flat = [Point(q, 100 * q, 30 + q / 10) for q in range(1, 6)]
    steep = [Point(q, 100 * q, 30 + q) for q in range(1, 6)]
    flat_point, steep_point = share_out([flat, steep], 700)
    assert (flat_point.quality, steep_point.quality) == (2, 5)


def test_what_does_not_fit_is_refused():
    message = "take 7 bytes at quality 1: they do not fit into 5 bytes together"
    with pytest.raises(ImgcompError, match=message):
        share_out([[Point(1, 3, 30)], [Point(1, 4, 30)]], 5)


def test_search_comes_close_to_the_budget_in_few_trials():
    """Two images, one of which takes four times the bytes at the same PSNR."""
    trials = []

    def measure(number, quality):
        trials.append((number, quality))
        num_bytes = round(1000 * (1 + 3 * number) * 1.05**quality)
        return Point(quality, num_bytes, 25 + quality / 8)

    budget = 60_000
    chosen = search(measure, 2, budget)
    assert budget * 0.97 < _bytes(chosen) <= budget
    assert len(trials) == len(set(trials)) <= 2 * 15
    # 57000 bytes at quality 50 fit, 194000 at 75 do not.
    assert max(quality for _, quality in trials) < 100
    # dB for a byte are equal where the files are equally large.
    small, large = chosen
    assert small.num_bytes == pytest.approx(large.num_bytes, rel=0.06)
