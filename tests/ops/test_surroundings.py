"""Surroundings that shrink while layers run change nothing of the tile."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp import layers
from tf_imgcomp.codecs.registry import CODECS
from tf_imgcomp.layers.precision import computing_in
from tf_imgcomp.ops.surroundings import cropped, run_in_shrinking_window


class _Recorder:
    """A mean over neighbourhoods, zeros beyond edges; keeps the sizes of its inputs."""

    def __init__(self, reach):
        self.reach, self.sizes = reach, []

    def __call__(self, x):
        self.sizes.append(tuple(x.shape[1:3]))
        side = 2 * self.reach + 1
        padding = [[0, 0], *[[self.reach] * 2] * 2, [0, 0]]
        return tf.nn.avg_pool2d(tf.pad(x, padding), side, 1, "VALID")


def test_each_layer_sees_what_it_needs():
    x = tf.random.stateless_normal((1, 60, 60, 2), [1, 2], dtype=tf.float64)
    recorders, crop = [_Recorder(4), _Recorder(3)], tf.constant([80, 160, 0, 16])
    expected = x
    for layer in recorders:
        expected = layer(expected)
    result, left = run_in_shrinking_window(recorders, x, crop, cell=8, needed=1)
    # Of the 10 positions at the top, 8 = 1 + 3 + 4, 4 and 2 are kept, an even number
    # each; of the 20 at the bottom as many; of the 2 at the right all.
    assert recorders[0].sizes == [(60, 60), (46, 60)]
    assert recorders[1].sizes == [(60, 60), (38, 60)]
    np.testing.assert_array_equal(left, [16, 16, 0, 16])
    tile, expected = cropped(result, left // 8), cropped(expected, crop // 8)
    np.testing.assert_allclose(tile, expected, rtol=0, atol=1e-12)


def _post_processing():
    layer = layers.PostProcessing(1, 8, 2)
    features = tf.random.stateless_normal((1, 16, 16, 8), [3, 4])
    return layer, layer.CELL, 3, lambda x: layer(x, features, tf.zeros([1]))


def _block(layer):
    return layer, 1, 8, layer


@pytest.mark.parametrize(
    "make",
    [
        lambda: _block(layers.FastDeepResidualAttention(8)),
        lambda: _block(layers.ResidualBlock(8)),
        _post_processing,
    ],
    ids=["attention", "residual", "post_processing"],
)
def test_a_layer_looks_as_far_as_it_says(make):
    layer, cell, channels, run = make()
    side = 32 * cell
    x = tf.random.stateless_normal((1, side, side, channels), [1, 2])
    run(x)  # Makes its weights.
    tiny.shaken(layer, 3)
    farthest = 0
    for changed in (15, 16):  # Either half of a pooled cell.
        rows = np.arange(side) // cell == changed
        other = tf.where(rows[None, :, None, None], -x, x)
        differs = (run(x) != run(other)).numpy().any(axis=(0, 2, 3))
        distances = np.abs(np.flatnonzero(differs) // cell - changed)
        farthest = max(farthest, distances.max())
    assert farthest == layer.reach


_DEEP = {"post_blocks": 2, "post_filters": 8, "synthesis_modules": 2}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("fdram", _DEEP),
        ("fdram", {**_DEEP, "module": "residual"}),
        ("fdram", {"post_blocks": 0, "synthesis_modules": 0}),
        ("cheng2020", {}),
        ("mfca_pmcn", {}),
    ],
    ids=str,
)
def test_the_pixels_of_a_tile_are_those_of_its_window(name, more):
    class_, sizes = CODECS[name], {**tiny.sizes(name), **more}
    with computing_in("float64"):  # In float32, sums in another order may differ.
        codec = class_(class_.config_class.from_dict(sizes), dtype="float64")
        depth = codec.config.coder.latent_depth
        y_hat = np.rint(np.random.default_rng(2).normal(0, 4, (1, 24, 32, depth)))
        quality = tf.constant([50.0], tf.float64)
        codec.synthesis(y_hat, quality)  # Makes its weights.
        tiny.shaken(codec.synthesis_transform, 1)
        whole = codec.synthesis(y_hat, quality)
        for crop in ([14, 6, 13, 0], [1, 2, 20, 5]):
            tile = codec.synthesis(y_hat, quality, tf.constant(crop))
            expected = cropped(whole, 16 * tf.constant(crop))
            np.testing.assert_allclose(tile, expected, rtol=0, atol=1e-8)
