"""The training objective of a post-filter."""

import json

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.data.pairs import Pair, stack
from tf_imgcomp.data.patches import PAIRS, side_by_side
from tf_imgcomp.errors import ImageError
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.training.filter_objective import restoration_objective
from tf_imgcomp.training.filter_validation import RestorationGain
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.portable import export_step
from tf_imgcomp.training.step import Trainable, training_step
from tf_imgcomp.training.trainer import Trainer, TrainerConfig

SEED, QUALITY = tf.constant([1, 2]), tf.constant([50.0, 50.0])


@pytest.fixture
def blocky(make_image):
    """A pair: smooth colours, and the same colours in steps of 16."""
    original = make_image(128, 128, 3)
    return Pair(original // 16 * 16 + 8, original, 37)


@pytest.fixture
def images(blocky):
    return tf.constant(np.stack([side_by_side(stack(blocky), 3)] * 2))


def test_an_untrained_filter_loses_what_the_codec_lost(images, blocky):
    objective = restoration_objective(tiny.untrained_filter(), "mse")
    error = blocky.original.astype(np.float64) - blocky.decoded
    for seed in (None, SEED):
        loss, metrics = objective(images, seed, QUALITY)
        np.testing.assert_allclose(loss, np.mean(error**2) / 100, rtol=1e-4)
        np.testing.assert_allclose(metrics["mse"], metrics["mse_decoded"], rtol=1e-4)
        np.testing.assert_allclose(metrics["gain"], 0, atol=1e-4)


def test_crops_are_seen_whole_and_in_pieces(images):
    """A filter that pools tells them apart."""
    objective = restoration_objective(tiny.random_filter(), "mse")

    def loss(images, seed=None):
        return float(objective(images, seed, QUALITY)[0])

    quarters = [images[:1, i : i + 64, j : j + 64] for i in (0, 64) for j in (0, 64)]
    whole, pieces = loss(images), np.mean([loss(quarter) for quarter in quarters])
    assert abs(whole / pieces - 1) > 1e-4
    np.testing.assert_allclose(loss(images, SEED), (whole + pieces) / 2, rtol=1e-5)
    np.testing.assert_allclose(loss(images[:, :64, :64], SEED), loss(quarters[0]))


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["mae", "mae_ms_ssim", "mse"])
def test_every_parameter_gets_a_gradient(loss, images):
    postfilter = tiny.random_filter(seed=3)  # With seed 1, a ReLU is always 0.
    objective = restoration_objective(postfilter, loss)
    variables = postfilter.trainable_variables
    step = graph_function(
        lambda: training_step(objective, variables, variables, images, SEED, QUALITY)
    )
    result = step()
    for variable, gradient in zip(variables, result.gradients):
        assert np.isfinite(gradient).all()
        assert tf.reduce_any(gradient != 0), variable.name


@pytest.mark.slow
def test_training_gains_on_whole_images(images, blocky, tmp_path):
    postfilter = tiny.untrained_filter()
    trainable = Trainable(
        postfilter, restoration_objective(postfilter, "mse"), sampling=PAIRS
    )
    gain = RestorationGain(postfilter, [stack(blocky)])
    start = gain()
    assert start["gain"] == start["score"] == 0
    optimization = OptimizationConfig(
        60, learning_rate=3e-3, warmup_steps=5, beta_1=0.5
    )
    trainer = Trainer(trainable, tmp_path, TrainerConfig(optimization))
    assert trainer.optimizer.beta_1 == 0.5
    trainer.run(tf.data.Dataset.from_tensors(images).repeat(30), lambda line: None)
    figures = gain()
    assert figures["gain"] > 0.05
    assert figures["score"] == -figures["gain"]
    assert figures["psnr"] - figures["psnr_decoded"] == pytest.approx(figures["gain"])
    assert figures["ms_ssim"] > figures["ms_ssim_decoded"]


def test_photos_in_place_of_pairs_are_refused(make_image):
    with pytest.raises(ImageError, match="not a pair"):
        RestorationGain(tiny.untrained_filter(), [make_image(69, 64)])


@pytest.mark.slow
def test_the_step_is_portable(tmp_path):
    postfilter = tiny.untrained_filter()
    objective = restoration_objective(postfilter, "mae_ms_ssim")
    trainable = Trainable(postfilter, objective, sampling=PAIRS)
    config = TrainerConfig(OptimizationConfig(1, beta_1=0.0))
    export_step(trainable, tmp_path, config, batch=2, crop=128, card={})
    spec = json.loads((tmp_path / "spec.json").read_text())
    assert spec["sampling"] == {"pictures": 3, "scale_min": 1.0}
    assert spec["optimization"]["beta_1"] == 0.0
    assert spec["metrics"] == ["gain", "mse", "mse_decoded"]
