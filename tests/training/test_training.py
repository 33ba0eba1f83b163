"""Training on tiny models: the step, the loop, and failures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp.codecs.registry import CODECS
from tf_imgcomp.errors import ModelError
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.gradient_guard import GradientGuard
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.step import Trainable, training_step
from tf_imgcomp.training.trainer import Trainer, TrainerConfig
from tf_imgcomp.training.weights import (
    load_weights,
    named_variables,
    round_as_saved,
    save_weights,
)

SEED, QUALITY = tf.constant([1, 2]), tf.constant([30.0, 70.0])


@pytest.fixture
def images(make_image):
    return tf.constant(np.stack([make_image(64, 64, seed) for seed in (0, 1)]))


def _step(codec):
    variables = codec.trainable_variables
    objective = codec_objective(codec)
    return graph_function(
        lambda parameters, images: training_step(
            objective, variables, parameters, images, SEED, QUALITY
        )
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CODECS)
def test_step_reaches_every_parameter_and_changes_nothing(name, images):
    codec = tiny.random_codec(name=name)
    before = codec.get_weights()
    parameters = [tf.identity(v) for v in codec.trainable_variables]
    step = _step(codec)
    first = step(parameters, images)
    for name, gradient in zip(named_variables(codec), first.gradients):
        assert tf.reduce_any(gradient != 0), name
    for variable in codec.trainable_variables:
        variable.assign(tf.fill(variable.shape, np.nan))
    again = step(parameters, images)
    assert np.isfinite(first.loss)
    assert again.loss == first.loss
    for gradient, expected in zip(again.gradients, first.gradients):
        np.testing.assert_array_equal(gradient, expected)
    assert not any(np.array_equal(a, b) for a, b in zip(codec.get_weights(), before))


def _dataset(images, first, last):
    return tf.data.Dataset.from_tensors(images).repeat(last - first)


def _trainer(folder, steps=6, **settings):
    codec = tiny.randomized(tiny.PLAIN)
    config = TrainerConfig(
        OptimizationConfig(steps, learning_rate=1e-3, warmup_steps=2),
        log_every=2,
        **settings,
    )
    return Trainer(Trainable(codec, codec_objective(codec)), folder, config)


@pytest.mark.slow
def test_a_run_that_was_stopped_repeats_the_curve(images, tmp_path):
    whole = _trainer(tmp_path / "whole")
    whole.run(_dataset(images, 0, 6), lambda line: None)
    first = _trainer(tmp_path / "parts")
    first.run(_dataset(images, 0, 3), lambda line: None)
    second = _trainer(tmp_path / "parts")
    assert int(second.step) == 3
    lines = []
    second.run(_dataset(images, 3, 6), lines.append)
    assert lines[0] == "resumed at step 3"
    for ours, theirs in zip(second.model.get_weights(), whole.model.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.slow
def test_training_lowers_the_loss_and_reports_it(images, tmp_path):
    def loss():  # That of each step is at qualities of its own.
        return float(
            _step(trainer.model)(trainer.model.trainable_variables, images).loss
        )

    lines = []
    trainer = _trainer(tmp_path, steps=30)
    before = loss()
    trainer.run(_dataset(images, 0, 30), lines.append)
    assert loss() < 0.9 * before
    assert lines[0].startswith("compiling the training step")
    assert lines[1].startswith("compiled in ")
    logged = next(line for line in lines if line.startswith("step "))
    assert np.isfinite(float(logged.split("loss ")[1].split()[0]))
    assert "images/s" in logged
    assert "  0 min left" in logged  # Compiling took longer, and does not count.


@pytest.mark.slow
def test_best_weights_are_kept_and_the_average_is_validated(images, tmp_path):
    scores = iter([2.0, 1.0, 3.0])
    trainer = _trainer(tmp_path, validate_every=2)
    lines = []

    def validate():
        assert list((tmp_path / "checkpoints").glob("*.index"))  # One is there before.
        return {"score": next(scores)}

    trainer.validate = validate
    trainer.run(_dataset(images, 0, 6), lines.append)
    assert float(trainer.best_score) == 1.0
    at = lines.index("validating at step 2")
    assert lines[at + 1] == "validation  step 2  score 2"
    load_weights(tiny.randomized(tiny.PLAIN), tmp_path / "best.npz")
    assert len((tmp_path / "validation.jsonl").read_text().splitlines()) == 3


def test_steps_that_are_not_finite_or_far_too_large_are_left_out():
    guard = GradientGuard(OptimizationConfig(1, clip_norm=1.0, spike_factor=20.0))
    for _ in range(60):
        (clipped,), norm = guard([tf.constant([3.0, 4.0])])
        np.testing.assert_allclose(clipped, [0.6, 0.8], rtol=1e-6)
        assert norm == 5.0
    for bad in (float("nan"), float("inf"), 1e6):
        (clipped,), _ = guard([tf.constant([bad, 1.0])])
        np.testing.assert_array_equal(clipped, [0.0, 0.0])
    (clipped,), _ = guard([tf.constant([0.5])])
    np.testing.assert_array_equal(clipped, [0.5])
    assert guard.skipped == 3


def test_the_guard_trusts_its_average_after_as_many_steps_as_configured():
    config = OptimizationConfig(1, norm_warmup=3, norm_decay=0.5, norm_warmup_decay=0.0)
    guard = GradientGuard(config)
    for norm in (1e6, 1e-3, 1.0):  # The average is the last norm.
        guard([tf.constant([norm])])
    assert guard.skipped == 0
    guard([tf.constant([21.0])])  # Counted as 20: the average becomes 10.5.
    guard([tf.constant([200.0])])
    assert guard.skipped == 1
    guard([tf.constant([3000.0])])
    assert guard.skipped == 2


@pytest.mark.slow
def test_mixed_precision_trains_with_float32_bits(images):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        codec = tiny.randomized(tiny.PLAIN)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert codec.analysis_transform.compute_dtype == "bfloat16"
    assert codec.latent_coder.slices[0].entropy_parameters[0].compute_dtype == "float32"
    result = _step(codec)(codec.trainable_variables, images)
    exact = _step(tiny.randomized(tiny.PLAIN))(codec.trainable_variables, images)
    np.testing.assert_allclose(result.metrics["bpp"], exact.metrics["bpp"], rtol=0.02)
    assert all(np.isfinite(gradient).all() for gradient in result.gradients)


_TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
from tests import tiny
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.step import Trainable
from tf_imgcomp.training.trainer import Trainer, TrainerConfig
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    codec = tiny.randomized(tiny.PLAIN)
before = codec.get_weights()
config = TrainerConfig(OptimizationConfig(2, 1e-3, warmup_steps=1), log_every=1)
trainable = Trainable(codec, codec_objective(codec))
trainer = Trainer(trainable, sys.argv[1], config, strategy=strategy)
images = tf.data.Dataset.from_tensors(tf.zeros((4, 64, 64, 3), tf.uint8)).repeat(2)
trainer.run(strategy.experimental_distribute_dataset(images), print)
changed = [not np.array_equal(a, b) for a, b in zip(before, codec.get_weights())]
print("fine" if any(changed) and trainer.skipped == 0 else "wrong")
"""


@pytest.mark.slow
def test_two_devices_train_together(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _TWO_DEVICES, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout.split()[-1:] == ["fine"], run.stderr[-2000:]


@pytest.mark.slow
def test_weights_come_back_rounded(tmp_path):
    codec, other = tiny.random_codec(1), tiny.random_codec(2)
    before = named_variables(tiny.random_codec(1))
    save_weights(codec, tmp_path / "w.npz")
    load_weights(other, tmp_path / "w.npz")
    round_as_saved(codec)
    for name, ours in named_variables(other).items():
        np.testing.assert_array_equal(ours, named_variables(codec)[name])
        coarse = "latent_coder/slices", "latent_coder/hyper_synthesis"
        bits = 8 if name.startswith(coarse) else 11
        # Rounded to half precision before; numbers next to zero have fewer bits there.
        rtol = 2.0**-bits + 2.0**-11
        np.testing.assert_allclose(ours, before[name], rtol=rtol, atol=1e-6)


@pytest.mark.slow
def test_weights_of_another_model_are_refused(tmp_path):
    save_weights(tiny.random_codec(components=2), tmp_path / "w.npz")
    with pytest.raises(
        ModelError, match="Expected latent_coder/slices/0/entropy_parameters"
    ):
        load_weights(tiny.random_codec(components=1), tmp_path / "w.npz")
    np.savez(tmp_path / "none.npz", x=np.zeros(1))
    with pytest.raises(ModelError, match="missing: .*not of this model: .'x'"):
        load_weights(tiny.random_codec(), tmp_path / "none.npz")


@pytest.mark.slow
def test_parts_of_another_codec_are_a_start(tmp_path):
    other = tiny.random_codec(1)
    codec = tiny.random_codec(2, name="mfca_pmcn")
    before = [variable.numpy() for variable in codec.trainable_variables]
    round_as_saved(other)
    save_weights(other, tmp_path / "w.npz")
    load_weights(codec, tmp_path / "w.npz", "latent_coder")
    theirs = named_variables(other)
    for (name, ours), old in zip(named_variables(codec).items(), before):
        if name.startswith("latent_coder"):
            old = theirs[name].numpy()
        np.testing.assert_array_equal(ours, old)
    with pytest.raises(ModelError, match="missing: .*analysis_transform/deep"):
        load_weights(codec, tmp_path / "w.npz", "latent_coder|analysis_transform")
    with pytest.raises(ModelError, match="'nix' matches no weights"):
        load_weights(codec, tmp_path / "w.npz", "nix")


@pytest.mark.slow
def test_damaged_weights_are_refused(tmp_path):
    path = tmp_path / "w.npz"
    save_weights(tiny.random_codec(), path)
    data = path.read_bytes()
    for damaged in (data[: len(data) // 2], b"", b"no weights", data[:-400] + data[9:]):
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match="w.npz is damaged, or holds no weights"):
            load_weights(tiny.random_codec(2), path)
