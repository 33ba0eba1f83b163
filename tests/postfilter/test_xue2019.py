"""The network of the post-filter."""

from dataclasses import asdict

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.configured_model import all_sizes
from tf_imgcomp.errors import ModelError
from tf_imgcomp.postfilter.inference import restore
from tf_imgcomp.postfilter.registry import POSTFILTERS, new_postfilter
from tf_imgcomp.postfilter.xue2019 import Xue2019


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (33, 18)])
@pytest.mark.parametrize("cell", [1, 2])
def test_an_untrained_filter_changes_nothing(size, cell, make_image):
    image = make_image(*size)
    untrained = new_postfilter("xue2019", {**tiny.FILTER_SIZES, "cell": cell})
    np.testing.assert_array_equal(restore(untrained, image, 37.0), image)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 2), (33, 18)])
def test_any_size_is_filtered_to_8_bits(size, make_image):
    image = make_image(*size)
    restored = restore(tiny.random_filter(), image, 37.0)
    assert (restored.shape, restored.dtype) == (image.shape, tf.uint8)
    assert (restored.numpy() != image).any()


def test_images_of_a_batch_do_not_see_one_another(make_image):
    postfilter = tiny.random_filter()
    images = np.stack([make_image(20, 30, seed) for seed in range(3)])
    settings = tf.constant([30.0, 37.0, 46.0])
    together = postfilter(images, settings)
    for n in range(3):
        alone = postfilter(images[n : n + 1], settings[n : n + 1])
        np.testing.assert_allclose(together[n : n + 1], alone, atol=1e-3)


def test_the_setting_matters_between_its_ends_only(make_image):
    postfilter = tiny.random_filter()
    image = make_image(20, 30)[None]
    at = {
        s: postfilter(image, tf.constant([s])).numpy() for s in (0.0, 30.0, 38.0, 99.0)
    }
    np.testing.assert_array_equal(at[0.0], at[30.0])
    assert np.abs(at[38.0] - at[30.0]).max() > 1e-3
    assert np.abs(at[38.0] - at[99.0]).max() > 1e-3


def test_config_makes_the_same_filter():
    postfilter = tiny.random_filter()
    again = Xue2019.from_config(postfilter.get_config())
    assert again.config == postfilter.config


def test_the_default_size_is_within_80_kmac_per_pixel():
    postfilter = new_postfilter("xue2019", {})
    kernels = [v for v in postfilter.trainable_variables if len(v.shape) == 4]
    count = sum(v.shape.num_elements() for v in kernels)
    assert 70e3 < count / postfilter.config.cell**2 < 80e3


def test_unknown_filters_and_sizes_are_refused():
    with pytest.raises(ModelError, match="no filter 'xue2020'; there are: xue2019"):
        new_postfilter("xue2020", {})
    with pytest.raises(ModelError, match="not those of xue2019: .*'depth'"):
        new_postfilter("xue2019", {"depth": 3})


def test_a_card_has_all_sizes():
    sizes = all_sizes(POSTFILTERS, "filter", "xue2019", {"levels": 3})
    assert sizes == {**asdict(Xue2019.config_class()), "levels": 3}
