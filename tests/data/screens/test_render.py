"""Rendered screens: seeds, kinds, sizes, and the look of each kind."""

import matplotlib
import numpy as np
import pytest

from tf_imgcomp.data.photos import is_held_out
from tf_imgcomp.data.screens import render
from tf_imgcomp.data.screens.render import KINDS

each_kind = pytest.mark.parametrize("number", range(len(KINDS)), ids=list(KINDS))


def pixels(seed, number, width=200, height=160):
    return np.asarray(render.render(seed, number, width, height))


def flat_share(x):
    """Share of the pixels that equal their right and lower neighbours."""
    same = (x[:-1, :-1] == x[1:, :-1]) & (x[:-1, :-1] == x[:-1, 1:])
    return same.all(-1).mean()


@each_kind
def test_a_seed_gives_the_same_picture_again(number):
    x = pixels(5, number)
    np.testing.assert_array_equal(pixels(5, number), x)


@each_kind
def test_seeds_and_numbers_give_other_pictures(number):
    x = pixels(5, number)
    assert (pixels(6, number) != x).any()
    assert (pixels(5, number + len(KINDS)) != x).any()


def test_a_picture_does_not_depend_on_those_before_it():
    alone = pixels(7, 6)
    for number in range(6):
        pixels(7, number)
    np.testing.assert_array_equal(pixels(7, 6), alone)


def test_a_picture_does_not_depend_on_settings_of_matplotlib():
    x = pixels(5, 1)
    with matplotlib.rc_context({"axes.facecolor": "red", "axes.linewidth": 9}):
        np.testing.assert_array_equal(pixels(5, 1), x)
        assert matplotlib.rcParams["axes.linewidth"] == 9


SIZES = [(64, 64), (65, 211), (333, 64), (640, 97)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_sizes_are_obeyed(width, height):
    for number in range(6 * len(KINDS)):
        image = render.render(3, number, width, height)
        assert (image.mode, image.size) == ("RGB", (width, height))


@pytest.mark.slow
@each_kind
def test_pictures_are_neither_empty_nor_like_photos(number):
    pictures = [pixels(1, number + len(KINDS) * i, 320, 320) for i in range(10)]
    assert all(np.ptp(x) > 40 for x in pictures)
    assert np.mean([flat_share(x) for x in pictures]) > 0.4


def test_pixel_art_is_scaled_by_an_integer_and_has_few_colours():
    number = list(KINDS).index("pixels")
    for seed in range(8):
        x = pixels(seed, number, 320, 320)
        assert len(np.unique(x.reshape(-1, 3), axis=0)) <= 24
        columns = np.flatnonzero((x[:, 1:] != x[:, :-1]).any((0, 2))) + 1
        rows = np.flatnonzero((x[1:] != x[:-1]).any((1, 2))) + 1
        assert np.gcd.reduce([*columns, *rows]) >= 2


def test_kinds_take_turns_in_the_names_of_files():
    names = [render.file_name(number) for number in range(8)]
    assert names[:2] == ["screen_0000_text.png", "screen_0001_plot.png"]
    kinds = [name.split("_")[2].removesuffix(".png") for name in names]
    assert kinds == 2 * list(KINDS)


def test_some_pictures_are_held_out_for_validation():
    held_out = [n for n in range(200) if is_held_out(render.file_name(n))]
    assert 0 < len(held_out) < 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 0, 63, 100), "Expected sides of at least 64, received 63x100."),
        ((1, 0, 100, 0), "Expected sides of at least 64, received 100x0."),
        ((-1, 0, 64, 64), "Expected seed and number of at least 0, received -1 and 0."),
        ((1, -2, 64, 64), "Expected seed and number of at least 0, received 1 and -2."),
    ],
)
def test_wrong_arguments_are_told(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        render.render(*arguments)
