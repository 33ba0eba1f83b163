"""The slice of latents that an image may do without."""

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.entropy_coding import parts
from tf_imgcomp.entropy.latent_coder import LatentCoderConfig
from tf_imgcomp.entropy.optional_slice import is_worth_coding
from tf_imgcomp.entropy_coding.integer_coder import IntegerCoder

QUALITY = tf.constant(5000, tf.int64)


@pytest.fixture(scope="module")
def codec():
    return tiny.random_codec(optional_slice=True)


@pytest.fixture(scope="module")
def coder(codec):
    return IntegerCoder(codec.latent_coder, codec.gain)


def latents(codec, optional_scale):
    """Latents and hyper-latents of an image of 128 by 64 pixels."""
    random = np.random.default_rng(7)
    config = codec.latent_coder.config
    y = random.laplace(scale=2, size=(1, 8, 4, config.latent_depth))
    y[..., config.base_depth :] *= optional_scale
    y = tf.constant(y, tf.float32)
    rate = codec.rate_features(tf.constant([50.0]))
    return y, codec.latent_coder.run_hyper_analysis(y, rate)


def test_small_latents_are_not_worth_it_and_large_ones_are():
    y = np.random.default_rng(1).normal(size=(1, 8, 8, 5)).astype(np.float32)
    scaled = np.concatenate([0 * y, 0.1 * y, y, 10 * y])
    config = LatentCoderConfig()
    worth = is_worth_coding(tf.constant(scaled), config, bits_per_error=10.0)
    np.testing.assert_array_equal(worth, [False, False, True, True])
    assert not is_worth_coding(tf.constant(y), config, bits_per_error=0.1)[0]


@pytest.mark.parametrize(
    "dearer",
    [
        {"optional_dead_zone": 3.0},
        {"optional_bits_of_one": 100.0},
        {"optional_bits_per_octave": 100.0},
    ],
    ids=str,
)
def test_the_config_says_what_it_is_worth(dearer):
    y = np.random.default_rng(1).normal(scale=2, size=(1, 8, 8, 5)).astype(np.float32)
    assert is_worth_coding(tf.constant(y), LatentCoderConfig(), 10.0)[0]
    assert not is_worth_coding(tf.constant(y), LatentCoderConfig(**dearer), 10.0)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("scale", "is_used"), [(2.0, True), (0.02, False)])
def test_files_hold_it_only_where_it_is_used(codec, coder, scale, is_used):
    y, z = latents(codec, scale)
    encoded = coder.encode(y, z, QUALITY)
    base = codec.latent_coder.config.base_depth
    assert np.any(encoded.y_hat[..., base:] != 0) == is_used
    np.testing.assert_allclose(encoded.y_hat[..., :base], y[..., :base], atol=1.51)
    decoded = parts.decode(coder, encoded, QUALITY)
    np.testing.assert_array_equal(decoded.y_hat, encoded.y_hat)


def test_it_does_not_change_the_other_slices(codec, coder):
    y, z = latents(codec, 2.0)
    base = codec.latent_coder.config.base_depth
    without = tf.concat([y[..., :base], 0 * y[..., base:]], axis=-1)
    rate = codec.rate_features(tf.constant([50.0]))
    z_without = codec.latent_coder.run_hyper_analysis(without, rate)
    np.testing.assert_array_equal(z_without, z)
    whole, part = (coder.encode(each, z, QUALITY) for each in (y, without))
    np.testing.assert_array_equal(whole.y_hat[..., :base], part.y_hat[..., :base])
    np.testing.assert_array_equal(whole.first, part.first)
    assert parts.size(part) < parts.size(whole)


def test_estimates_count_it_only_where_it_is_used(codec):
    y, _ = latents(codec, 2.0)
    small, _ = latents(codec, 0.02)
    config = codec.latent_coder.config
    zero = tf.concat([y[..., : config.base_depth], 0 * y[..., config.base_depth :]], -1)
    quality = tf.fill([3], 50.0)
    log2_gain = codec.gain.log2(codec.level(quality))
    rate = codec.rate_features(quality)
    batch = tf.concat([y, small, zero], axis=0)
    coded = codec.latent_coder(batch, log2_gain, rate)
    optional = coded.y_hat[..., config.base_depth :]
    assert np.any(optional[0] != 0)
    np.testing.assert_array_equal(optional[1:], tf.zeros_like(optional[1:]))
    assert coded.y_bits[0] > coded.y_bits[2]
    np.testing.assert_allclose(coded.y_bits[1], coded.y_bits[2], rtol=1e-5)


def test_real_bits_follow_the_estimate(codec, coder):
    y, z = latents(codec, 2.0)
    quality = tf.constant([50.0])
    log2_gain = codec.gain.log2(codec.level(quality))
    estimate = codec.latent_coder(y, log2_gain, codec.rate_features(quality))
    size = parts.size(coder.encode(y, z, QUALITY))
    bits = estimate.y_bits[0] + estimate.z_bits[0]
    np.testing.assert_allclose(8 * size, bits, rtol=0.03)
