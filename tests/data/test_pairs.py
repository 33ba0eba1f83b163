"""Images of pairs."""

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.data.pairs import Pair, check_pairs, stack, unstack
from tf_imgcomp.data.patches import PAIRS, make_batch
from tf_imgcomp.data.photos import PhotoFolder
from tf_imgcomp.errors import ImageError


def _pair(make_image, height=70, width=90, setting=37):
    return Pair(make_image(height, width, 1), make_image(height, width, 2), setting)


def test_a_pair_comes_back(make_image):
    pair = _pair(make_image)
    again = unstack(stack(pair))
    np.testing.assert_array_equal(again.decoded, pair.decoded)
    np.testing.assert_array_equal(again.original, pair.original)
    assert again.setting == pair.setting


def test_what_is_not_a_pair_is_refused(make_image):
    with pytest.raises(ImageError, match="not a pair: 70 rows are not a multiple of 3"):
        unstack(make_image(70, 90))
    with pytest.raises(ImageError, match="values of its third picture differ"):
        unstack(make_image(69, 90))


def test_a_folder_with_something_else_in_it_is_refused(make_image, tmp_path):
    Image.fromarray(stack(_pair(make_image))).save(tmp_path / "a.png")
    check_pairs(PhotoFolder(tmp_path, tmp_path / "cache"))
    Image.fromarray(make_image(69, 90)).save(tmp_path / "b.png")
    with pytest.raises(ImageError, match="b.png: not a pair"):
        check_pairs(PhotoFolder(tmp_path, tmp_path / "cache"))


@pytest.mark.slow
def test_crops_show_the_same_place_of_every_picture_unscaled(make_image, tmp_path):
    original = make_image(200, 300)
    image = stack(Pair(255 - original, original, 41))
    Image.fromarray(image).save(tmp_path / "a.png")
    batch = make_batch(PhotoFolder(tmp_path, tmp_path), 3, 8, 64, 1, PAIRS)
    assert batch.shape == (8, 64, 64, 9)
    np.testing.assert_array_equal(batch[..., :3], 255 - batch[..., 3:6])
    assert (batch[..., 6:] == 41).all()
    windows = np.lib.stride_tricks.sliding_window_view(original[..., 0], (64, 64))
    for crop in batch[..., 3]:
        turned = [np.rot90(c, n) for c in (crop, crop[:, ::-1]) for n in range(4)]
        assert any((windows == c).all((2, 3)).any() for c in turned)
