"""The training loop: steps, checkpoints, validation, the best weights."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import tensorflow as tf

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.codecs.base import draw_qualities
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.seeds import stream
from tf_imgcomp.training.gradient_guard import GradientGuard
from tf_imgcomp.training.journal import Journal
from tf_imgcomp.training.optimization import OptimizationConfig, make_optimizer
from tf_imgcomp.training.plateau import Plateau
from tf_imgcomp.training.step import Trainable, training_step
from tf_imgcomp.training.weights import save_weights

_CHECKPOINTS = "checkpoints"  # Folder in that of the run.


@dataclass(frozen=True)
class TrainerConfig:
    """Optimization, seed and intervals of a run.

    Attributes:
        optimization: optimizer and schedule.
        seed: int, seed of noise, qualities, crops and initial weights.
        log_every: int, steps between two lines of the log.
        checkpoint_minutes: float, minutes between two checkpoints.
        validate_every: int, steps between two validations: an epoch.
        plot_every: int, epochs between two plots of the run; 0 for none.
        quality: float, a fixed quality, to train for one rate; None draws one for each
            image.
    """

    optimization: OptimizationConfig
    seed: int = 1
    log_every: int = 100
    checkpoint_minutes: float = 2.0
    validate_every: int = 2000
    plot_every: int = 0
    quality: Optional[float] = None


def has_checkpoint(folder: Path) -> bool:
    """Whether a run in the folder would resume."""
    return tf.train.latest_checkpoint(str(Path(folder) / _CHECKPOINTS)) is not None


class Trainer:
    """Trains a model in a folder, and resumes there.

    All random numbers are functions of the seed and the step, and checkpoints hold all
    other state, so a killed run resumes with the results of an uninterrupted one.

    Args:
        trainable: the model and its objective.
        folder: folder for checkpoints, best weights and the output of `Journal`.
        config: `TrainerConfig`.
        validate: function that returns a dict of figures, one of them `score`, lower
            is better. Called with the averaged weights in place.
        strategy: `tf.distribute.Strategy`.

    Raises:
        ImgcompError: If the schedule needs validation and there is none.
    """

    def __init__(
        self,
        trainable: Trainable,
        folder: Path,
        config: TrainerConfig,
        validate: Optional[Callable] = None,
        strategy: Optional[tf.distribute.Strategy] = None,
    ):
        self.model, self.config, self.validate = trainable.model, config, validate
        self._objective = trainable.objective
        self._strategy = strategy or tf.distribute.get_strategy()
        self._variables = list(trainable.variables.values())
        self.folder = Path(folder)
        with self._strategy.scope():
            self.optimizer = make_optimizer(config.optimization)
            self.optimizer.build(self._variables)
            self._guard = GradientGuard(config.optimization)
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best_score = tf.Variable(float("inf"), trainable=False)
        self._plateau = None
        if config.optimization.schedule == "plateau":
            if not validate:
                raise ImgcompError(
                    "schedule 'plateau' needs validation photos, but none are held out"
                )
            self._plateau = Plateau(
                self.optimizer,
                config.optimization.patience,
                config.optimization.plateau_factor,
            )
        kept = {"plateau": self._plateau} if self._plateau else {}
        checkpoint = tf.train.Checkpoint(
            model=self.model,
            optimizer=self.optimizer,
            guard=self._guard,
            step=self.step,
            best_score=self.best_score,
            **kept,
        )
        self._checkpoints = tf.train.CheckpointManager(
            checkpoint, str(self.folder / _CHECKPOINTS), max_to_keep=2
        )
        if self._checkpoints.latest_checkpoint:
            checkpoint.restore(self._checkpoints.latest_checkpoint).assert_consumed()
        self._journal = Journal(self.folder, config.plot_every)
        self._distributed_step = graph_function(self._distribute)

    @property
    def skipped(self) -> int:
        """Number of steps that were skipped, see `GradientGuard`."""
        return int(tf.convert_to_tensor(self._guard.skipped))

    def run(self, dataset: Iterable, report: Callable = print) -> None:
        """Trains to the end of a dataset.

        Args:
            dataset: uint8 `(b, h, w, 3 * pictures)` for each step from `self.step` on.
            report: function of a line of progress.
        """
        config, first = self.config, int(self.step) + 1
        if first > 1:
            report(f"resumed at step {first - 1}")
        window_start, window_step = time.monotonic(), int(self.step)
        saved = time.monotonic()
        for images in dataset:
            metrics = self._take_step(images, int(self.step) + 1 == first, report)
            done = int(self.step.assign_add(1))
            if done == first and config.log_every > 1:  # Compilation does not count.
                window_start, window_step = time.monotonic(), done
            elif done % config.log_every == 0:
                now = time.monotonic()
                rate = (done - window_step) / (now - window_start)
                window_start, window_step = now, done
                self._log(done, metrics, rate, report)
            if self.validate and done % config.validate_every == 0:
                if not self._checkpoints.latest_checkpoint:
                    self._checkpoints.save(done)
                self._validate(done, report)
                window_start, window_step = time.monotonic(), done
            if time.monotonic() - saved > 60 * config.checkpoint_minutes:
                self._checkpoints.save(done)
                saved = time.monotonic()
        report(f"saving step {int(self.step)} to {self.folder}")
        self._checkpoints.save(int(self.step))

    def use_average(self) -> None:
        """Replaces the model's weights by their average."""
        if int(self.step):
            self.optimizer.finalize_variable_values(self._variables)

    def _take_step(self, images, is_first, report):
        if not is_first:
            return self._distributed_step(images, tf.identity(self.step))
        report("compiling the training step, which can take minutes")
        start = time.monotonic()
        metrics = self._distributed_step(images, tf.identity(self.step))
        float(metrics["loss"])  # Waits for the step.
        report(f"compiled in {time.monotonic() - start:.0f} s")
        return metrics

    def _distribute(self, images, step):
        metrics = self._strategy.run(self._train_step, (images, step))
        counts = metrics.pop("images")
        means = {
            name: self._strategy.reduce("MEAN", value, axis=None)
            for name, value in metrics.items()
        }
        return {**means, "images": self._strategy.reduce("SUM", counts, axis=None)}

    def _train_step(self, images, step):
        replica = tf.distribute.get_replica_context()
        number = replica.replica_id_in_sync_group
        seed = stream(tf.constant([self.config.seed, 0]), step, number)
        quality = self._draw_quality(tf.shape(images)[0], stream(seed, "quality"))
        result = training_step(
            self._objective,
            self._variables,
            self._variables,
            images,
            stream(seed, "noise"),
            quality,
        )
        gradients = replica.all_reduce("MEAN", list(result.gradients))
        gradients, norm = self._guard(gradients)
        self.optimizer.apply_gradients(
            zip(gradients, self._variables), skip_gradients_aggregation=True
        )
        return {
            **result.metrics,
            "loss": result.loss,
            "gradient_norm": norm,
            "images": tf.shape(images)[0],
        }

    def _draw_quality(self, count, seed):
        if self.config.quality is not None:
            return tf.fill([count], self.config.quality)
        return draw_qualities(count, seed)

    def _log(self, done, metrics, rate, report):
        values = {name: float(value) for name, value in metrics.items()}
        images_per_second = rate * values.pop("images")
        left = (self.config.optimization.steps - done) / rate / 60
        speed = {"images_per_second": images_per_second, "skipped_steps": self.skipped}
        self._journal.training(done, values, speed)
        figures = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        report(
            f"step {done}  {figures}  skipped {self.skipped}  "
            f"{images_per_second:.1f} images/s  {left:.0f} min left"
        )

    def _validate(self, done, report):
        """Validates the averaged weights and saves them if they are the best so far."""
        report(f"validating at step {done}")
        current = [variable.numpy() for variable in self._variables]
        self.use_average()
        number = done // self.config.validate_every
        figures = self._journal.validation(done, number, self.validate())
        line = json.dumps(figures)
        if figures["score"] < float(self.best_score):
            self.best_score.assign(figures["score"])
            save_weights(self.model, self.folder / "best.npz")
            best = self.folder / "best.json"
            write_atomically(best, line.encode() + b"\n", overwrite=True)
        for variable, value in zip(self._variables, current):
            variable.assign(value)
        if self._plateau:
            self._plateau(figures["score"])
        shown = (f"{name} {value:.4g}" for name, value in figures.items())
        report(f"validation  {'  '.join(shown)}")
