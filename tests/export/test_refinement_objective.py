"""The objective that the slow mode refines by."""

import functools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tests.golden import regenerate
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.export.codec import CodecModule
from tf_imgcomp.export.packed_weights import half_precision, in_saved_order
from tf_imgcomp.export.refinement_objective import RefinementModule
from tf_imgcomp.losses.distortion import DISTORTIONS
from tf_imgcomp.losses.scales import LossScales

pytestmark = pytest.mark.slow

QUALITY, HUNDREDTHS = tf.constant([80.0]), tf.constant(8000, tf.int64)
CODECS = [
    ("fdram", {}),
    ("fdram", {"optional_slice": True}),
    ("mfca_pmcn", {}),
    ("cheng2020", {}),
]
IMAGE = regenerate.image(64, 100)
each_distortion = pytest.mark.parametrize("distortion", sorted(DISTORTIONS))


@pytest.fixture(scope="module", params=CODECS, ids=str)
def codec(request):
    name, switches = request.param
    return tiny.random_codec(name=name, **switches)


@pytest.fixture(scope="module")
def module(codec):
    return CodecModule(codec)


@pytest.fixture(scope="module")
def refinement(codec, module):
    """The functions, given the trained weights."""
    found = RefinementModule(codec, module.coder.tables, module.fingerprint)
    trained = half_precision(in_saved_order(codec))
    return SimpleNamespace(
        weights=functools.partial(found.weights, trained),
        objective=functools.partial(found.objective, trained),
        distortion=found.distortion,
    )


@pytest.fixture(scope="module")
def latents(codec):
    y = codec.analysis(regenerate.image(64, 100)[None], QUALITY)
    z = codec.latent_coder.run_hyper_analysis(y, codec.rate_features(QUALITY))
    return y, z


def test_weights_are_the_error_that_a_step_causes(codec, refinement, latents):
    y_hat = tf.round(latents[0])
    found = refinement.weights(IMAGE, y_hat, HUNDREDTHS)["bits_per_error"].numpy()
    assert np.all(found > 0)
    assert found.shape == y_hat.shape
    assert np.all(found == found[:, :1, :1])  # Squared errors count alike everywhere.
    found = found[0, 0, 0]
    channel, step = int(np.argmax(found)), 0.1
    _, height, width, depth = y_hat.shape
    # A batch of images, each with another position of the channel moved.
    positions = height * width
    moves = tf.reshape(tf.eye(positions), (positions, height, width, 1))
    moves *= step * tf.one_hot(channel, depth)
    moved = codec.synthesis(y_hat + moves, tf.repeat(QUALITY, positions))
    squared = tf.reduce_sum((moved - codec.synthesis(y_hat, QUALITY)) ** 2) / step**2
    expected = codec.lmbda(QUALITY)[0] / 3 * squared / positions
    assert 1 / 3 < found[channel] / expected < 3


@pytest.mark.parametrize("codec", [("cheng2020", {})], indirect=True, ids=str)
def test_the_config_says_how_often_weights_are_probed(
    codec, module, latents, monkeypatch
):
    trained, found = half_precision(in_saved_order(codec)), []
    for probes in (1, 1, 4):
        others = replace(codec.config.refinement, probes=probes)
        config = replace(codec.config, refinement=others)
        monkeypatch.setattr(codec, "config", config)
        made = RefinementModule(codec, module.coder.tables, module.fingerprint)
        y_hat = tf.round(latents[0])
        weights = made.weights(trained, IMAGE, y_hat, HUNDREDTHS)["bits_per_error"]
        found.append(weights.numpy())
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.allclose(found[0], found[2], rtol=1e-3)
    np.testing.assert_allclose(found[0].sum(), found[2].sum(), rtol=0.5)


def test_the_cost_is_that_of_the_file(codec, module, refinement, latents):
    weights = refinement.weights(IMAGE, latents[0], HUNDREDTHS)
    given = weights["bits_per_error"], weights["uses_optional"]
    found = refinement.objective(IMAGE, *latents, HUNDREDTHS, *given)
    for name, like in zip(("y", "z"), latents):
        assert found[f"{name}_hat"].shape == found[f"{name}_gradient"].shape
        assert found[f"{name}_hat"].shape == like.shape
        assert np.all(np.isfinite(found[f"{name}_gradient"]))
        assert np.any(found[f"{name}_gradient"] != 0)
    coded = module.encode(found["y_hat"], found["z_hat"], HUNDREDTHS, 1e6)
    strings = *coded["first"].numpy(), *coded["rest"].numpy()
    bits = 8 * sum(map(len, strings))
    x_hat = codec.synthesis(found["y_hat"], QUALITY)[0, :64, :100]
    error = np.mean((np.clip(x_hat, 0, 255) - IMAGE) ** 2)
    expected = bits + weights["lmbda"] * 64 * 100 * error
    np.testing.assert_allclose(found["cost"], expected, rtol=0.03)


@pytest.mark.parametrize(
    "codec", [("fdram", {"optional_slice": True})], indirect=True, ids=str
)
def test_a_slice_that_is_left_out_stays_left_out(codec, refinement, latents):
    weights = refinement.weights(IMAGE, latents[0], HUNDREDTHS)
    found = refinement.objective(
        IMAGE,
        *latents,
        HUNDREDTHS,
        weights["bits_per_error"],
        tf.constant(False),
    )
    base = codec.config.coder.base_depth
    assert np.all(found["y_hat"][..., base:] == 0)
    assert np.any(found["y_hat"][..., :base] != 0)


@pytest.fixture
def refinement_for(module, latents, monkeypatch):
    """Function of the config's fields that gives the functions of the first codec."""

    def refinement_for(**fields):
        codec = module.codec
        others = replace(codec.config.refinement, **fields)
        monkeypatch.setattr(codec, "config", replace(codec.config, refinement=others))
        return RefinementModule(codec, module.coder.tables, module.fingerprint)

    return refinement_for


@each_distortion
@pytest.mark.parametrize("codec", CODECS[:1], indirect=True, ids=str)
def test_the_config_says_which_distortion_costs(
    codec, latents, refinement_for, distortion
):
    trained = half_precision(in_saved_order(codec))
    found = refinement_for(distortion=distortion, ms_ssim_scale=500.0)
    weights = found.weights(trained, IMAGE, latents[0], HUNDREDTHS)
    given = weights["bits_per_error"], weights["uses_optional"]
    cost, *_ = found.objective(trained, IMAGE, *latents, HUNDREDTHS, *given).values()
    assert np.isfinite(cost)
    decoded = (IMAGE // 2).astype(np.uint8)
    scales = LossScales(ms_ssim=500.0)
    pair = (tf.cast(each[None], tf.float32) for each in (IMAGE, decoded))
    expected = DISTORTIONS[distortion](*pair, scales)[0]
    measured = found.distortion(IMAGE, decoded)["distortion"]
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_weights_tell_where_errors_count():
    """Where half of an image is flat, its errors lower MS-SSIM more."""
    sizes = {**tiny.sizes("fdram"), "refinement": {"distortion": "ms_ssim"}}
    codec = new_codec("fdram", sizes)  # A random one has too large errors.
    module = CodecModule(codec)
    refinement = RefinementModule(codec, module.coder.tables, module.fingerprint)
    image = np.full((128, 256, 3), 128, np.uint8)
    image[:, 128:] = regenerate.image(128, 128)
    trained = half_precision(in_saved_order(codec))
    y = codec.analysis(image[None], QUALITY)
    found = refinement.weights(trained, image, y, HUNDREDTHS)["bits_per_error"]
    counts = found.numpy()[0]
    np.testing.assert_allclose(counts.mean(), codec.latent_coder.config.bits_per_error)
    flat, textured = counts[:, 1:7].mean(), counts[:, 9:15].mean()
    assert flat > 3 * textured > 0
