"""Training as in mfca_pmcn's report: its objectives, schedule and plots."""

import json
import struct

import numpy as np
import pytest
import tensorflow as tf

from tests import tiny
from tf_imgcomp import metrics
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.losses.mfca_pmcn import mfca_pmcn_cost, mfca_pmcn_loss
from tf_imgcomp.losses.rate_distortion import lagrangian, rate_distortion
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.codec_validation import RealBits
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.portable import export_step
from tf_imgcomp.training.step import Trainable, training_step
from tf_imgcomp.training.trainer import Trainer, TrainerConfig
from tf_imgcomp.training.weights import load_weights

SEED, QUALITY = tf.constant([1, 2]), tf.constant([30.0, 70.0])


@pytest.fixture
def images(make_image):
    return tf.constant(np.stack([make_image(64, 64, seed) for seed in (0, 1)]))


def _trainable(distortion=None):
    """A tiny codec with a distortion as its objective, or the report's loss."""
    codec, loss = (
        tiny.randomized(tiny.plain("mfca_pmcn"), name="mfca_pmcn"),
        mfca_pmcn_loss,
    )
    if distortion:
        middle = codec.lmbda_middle

        def loss(*batch):
            return rate_distortion(*batch, middle, distortion)

    return Trainable(codec, codec_objective(codec, noise=False, loss=loss))


@pytest.mark.slow
@pytest.mark.parametrize("distortion", ["mix", None])
def test_every_objective_reaches_every_parameter(distortion, images):
    trainable = _trainable(distortion)
    variables = list(trainable.variables.values())
    step = graph_function(
        lambda: training_step(
            trainable.objective, variables, variables, images, SEED, QUALITY
        )
    )
    result = step()
    assert np.isfinite(result.loss)
    for name, gradient in zip(trainable.variables, result.gradients):
        assert np.isfinite(gradient).all(), name
        assert tf.reduce_any(gradient != 0), name


def test_the_usual_objective_is_that_of_squared_errors(images):
    usual = codec_objective(_trainable().model, noise=False)
    chosen = _trainable("mse").objective
    ours, theirs = (f(images, SEED, QUALITY) for f in (usual, chosen))
    assert ours[0] == theirs[0]
    assert ours[1].keys() == theirs[1].keys()


@pytest.mark.slow
@pytest.mark.parametrize("distortion", ["mix", None])
def test_every_objective_is_portable(distortion, tmp_path):
    config = TrainerConfig(OptimizationConfig(1, schedule="plateau", warmup_steps=0))
    export_step(_trainable(distortion), tmp_path, config, batch=1, crop=64, card={})
    expected = ["bpp", "l1", "mse", "quantization", "z_bpp"]
    if distortion:
        expected = ["bpp", "lagrangian", "mse", "z_bpp"]
    assert json.loads((tmp_path / "spec.json").read_text())["metrics"] == expected


class _Brightening:
    """A codec with one `lmbda`; as a module, it adds 10 and writes two bytes."""

    def lmbda(self, quality):
        return tf.fill(quality.shape, 0.05)

    def compress(self, photo, crop, quality):
        assert not crop.any()
        self.photo = photo
        return {"first": tf.constant([b"a"]), "rest": tf.constant([b"b"])}

    def decoded(self, coded, height, width):
        return tf.constant(self.photo + 10)


@pytest.mark.parametrize("cost", [lagrangian, mfca_pmcn_cost])
def test_validation_judges_by_what_is_trained(cost):
    photo = np.full((12, 16, 3), 90, np.uint8)
    qualities = (5.0, 25.0, 60.0)
    figures = RealBits(_Brightening(), [photo], lambda codec: codec, cost, qualities)()
    bpp, x = 16 / (12 * 16), tf.cast(photo[None], tf.float32)
    expected = cost(x, x + 10, tf.constant([bpp]), tf.constant([0.05]))
    assert figures["score"] == pytest.approx(float(tf.math.log(expected[0])), rel=1e-5)
    assert {name for name in figures if name.startswith("bpp")} == {
        "bpp_5",
        "bpp_25",
        "bpp_60",
    }
    for quality in ("5", "25", "60"):
        assert figures[f"bpp_{quality}"] == pytest.approx(bpp)
        assert figures[f"psnr_{quality}"] == pytest.approx(
            metrics.psnr(photo, photo + 10)
        )
        assert figures[f"ssim_{quality}"] == metrics.ssim(photo, photo + 10)


class _Brightness(tf.keras.Model):
    """One weight: the brightness of images."""

    def __init__(self):
        super().__init__()
        self.brightness = self.add_weight("brightness", (), initializer="zeros")


def _brightness() -> Trainable:
    model = _Brightness()

    def objective(images, seed, quality):
        x = tf.cast(images, tf.float32) / 255
        loss = tf.reduce_mean(tf.math.squared_difference(x, model.brightness))
        return loss, {"half": loss / 2}

    return Trainable(model, objective)


def _trainer(folder, scores, steps=12, **settings):
    """A trainer that validates every step, with these scores."""
    scores = iter(scores)
    optimization = OptimizationConfig(
        steps, learning_rate=2e-3, schedule="plateau", warmup_steps=0, patience=2
    )
    config = TrainerConfig(optimization, log_every=1, validate_every=1, **settings)
    return Trainer(
        _brightness(),
        folder,
        config,
        lambda: {"score": next(scores), "psnr_5": 30.0, "psnr_25": 33.0},
    )


def _run(trainer, images, steps):
    dataset = tf.data.Dataset.from_tensors(images).repeat(steps)
    trainer.run(dataset, lambda line: None)
    return float(trainer.optimizer.learning_rate)


def test_a_run_that_was_stopped_knows_how_long_it_has_waited(images, tmp_path):
    scores = [3.0, 1.0, 1.0, 2.0, 1.0, 0.5]
    assert _run(_trainer(tmp_path, scores[:3]), images, 3) == pytest.approx(2e-3)
    second = _trainer(tmp_path, scores[3:])
    assert int(second.step) == 3
    rate = _run(second, images, 1)  # The second epoch that is no better.
    assert rate == pytest.approx(2e-4)
    third = _trainer(tmp_path, scores[4:])
    assert _run(third, images, 2) == pytest.approx(2e-4)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == {"step": 6, "score": 0.5, "psnr_5": 30.0, "psnr_25": 33.0}
    load_weights(third.model, tmp_path / "best.npz")


@pytest.mark.slow
def test_a_plot_appears_every_so_many_epochs(images, tmp_path):
    trainer = _trainer(tmp_path, range(12), plot_every=5)
    plot = tmp_path / "progress.png"
    _run(trainer, images, 4)
    assert not plot.exists()
    with open(tmp_path / "training.jsonl", "a") as log:
        log.write('{"step": 4, "lo')  # As of a run that was killed.
        log.write("\n")
    _run(trainer, images, 1)
    first = plot.read_bytes()
    signature, width, height = struct.unpack(">8s8xII", first[:24])
    assert signature == b"\x89PNG\r\n\x1a\n"
    assert min(width, height) > 100
    _run(trainer, images, 4)
    assert plot.read_bytes() == first
    _run(trainer, images, 1)
    assert plot.read_bytes() != first


def test_a_plateau_without_validation_is_refused(tmp_path):
    config = TrainerConfig(OptimizationConfig(1, schedule="plateau"))
    with pytest.raises(ImgcompError, match="^schedule .plateau. needs validation"):
        Trainer(_brightness(), tmp_path, config)
