"""Small images from the first part of a file."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.image_codecs.conftest import TILE
from tf_imgcomp.errors import BitstreamError

HEIGHT, WIDTH = 2 * TILE + 44, 2 * TILE + 25


@pytest.fixture(scope="module")
def coded(tiled):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    grey = 128 + 60 * np.sin(rows / 40) + 50 * np.cos(columns / 50)
    pixels = np.repeat(grey[..., None], 3, axis=-1).astype(np.uint8)
    return tiled.compress(pixels, 80)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
def test_a_preview_is_the_image_made_small(tiled, coded, scale):
    whole = Image.fromarray(tiled.decompress(coded, HEIGHT, WIDTH)).reduce(scale)
    preview = tiled.preview(coded, HEIGHT, WIDTH, scale)
    assert preview.shape == (-(-HEIGHT // scale), -(-WIDTH // scale), 3)
    inside = slice(0, HEIGHT // scale), slice(0, WIDTH // scale)
    error = preview[inside].astype(float) - np.asarray(whole)[inside]
    assert np.mean(error**2) < 0.1 * np.var(np.asarray(whole))


def test_a_preview_has_no_seams(tiled, coded):
    """Steps between pixels are as large at borders of tiles as beside them."""
    preview = tiled.preview(coded, HEIGHT, WIDTH, 4).astype(float)
    steps = np.abs(np.diff(preview, axis=0)).mean((1, 2))
    border = TILE // 4 - 1
    assert steps[border] <= 1.5 * max(steps[border - 3], steps[border + 3]) + 0.5


def test_a_preview_needs_the_first_part_only(tiled, coded):
    expected = tiled.preview(coded, HEIGHT, WIDTH, 8)
    cut = dataclasses.replace(coded, rest=None)
    np.testing.assert_array_equal(tiled.preview(cut, HEIGHT, WIDTH, 8), expected)


def test_damage_to_the_first_part_is_found(tiled, coded):
    first = (coded.first[0], coded.first[1][:-3], *coded.first[2:])
    damaged = dataclasses.replace(coded, first=first)
    with pytest.raises(BitstreamError, match="other latents|do not decode|cut"):
        tiled.preview(damaged, HEIGHT, WIDTH, 8)
    lacking = dataclasses.replace(coded, first=coded.first[:-1])
    with pytest.raises(BitstreamError, match="expected 9 tiles, received 8"):
        tiled.preview(lacking, HEIGHT, WIDTH, 8)
