"""Fonts, colours and shapes of drawn screens."""

import string

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.screens import drawing, words


@pytest.mark.parametrize("face", range(3))
@pytest.mark.parametrize("family", drawing.FAMILIES)
def test_fonts_have_all_letters_and_digits(family, face):
    font = drawing.font(family, 24, face)
    missing = bytes(font.getmask("\uffff"))
    for letter in string.ascii_letters + string.digits:
        mask = bytes(font.getmask(letter))
        assert any(mask), letter
        assert mask != missing, letter


def test_themes_are_colours_with_a_contrast():
    for seed in range(200):
        theme = drawing.theme(np.random.default_rng(seed))
        colours = np.array([*theme[:-1], *theme.accents])
        assert colours.min() >= 0
        assert colours.max() <= 255
        assert np.abs(np.subtract(theme.ink, theme.background)).max() > 100


def test_a_rounded_box_is_antialiased_at_its_corners_only():
    image = Image.new("RGB", (40, 30))
    drawing.rounded_box(image, (5, 5, 35, 25), 6, (255, 255, 255))
    x = np.asarray(image)[..., 0]
    assert (x[5:25, 11:29] == 255).all()
    assert (x[11:19, 5:35] == 255).all()
    assert x[5, 5] == 0
    assert ((x > 0) & (x < 255)).any()
    assert not x[:, :5].any()
    assert not x[25:].any()


def test_an_outline_is_one_pixel():
    image = Image.new("RGB", (20, 20))
    drawing.rounded_box(image, (2, 2, 18, 18), 0, (0, 0, 255), (255, 0, 0))
    middle = np.asarray(image)[10]
    assert [tuple(p) for p in middle[1:4]] == [(0, 0, 0), (255, 0, 0), (0, 0, 255)]
    assert [tuple(p) for p in middle[16:19]] == [(0, 0, 255), (255, 0, 0), (0, 0, 0)]


def test_a_gradient_goes_from_one_colour_to_the_other():
    x = np.asarray(drawing.gradient(20, 10, (10, 20, 30), (200, 100, 0), 0.0))
    assert tuple(x[3, 0]) == (10, 20, 30)
    assert tuple(x[3, -1]) == (200, 100, 0)
    assert (np.diff(x[..., 0].astype(int), axis=1) > 0).all()


def test_noise_spans_its_range():
    noise = drawing.smooth_noise(np.random.default_rng(1), 50, 40)
    assert noise.shape == (40, 50)
    assert (noise.min(), noise.max()) == (0, 1)


def test_words_are_ascii_and_vary():
    rng = np.random.default_rng(1)
    for make in (words.word, words.title, words.sentence, words.identifier):
        made = {make(rng) for _ in range(100)}
        assert len(made) > 40
        assert all(text.isascii() and text for text in made)
