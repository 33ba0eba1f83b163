"""Compares attention modules, and forms of multi-frequency attention.

    python benchmarks/attention.py --data=PHOTOS [--compare=modules|frequencies]

A short controlled training: photos lose quality by quantized lapped coefficients, and a
network at 1/8 of the resolution restores them, as in the codec's synthesis. Networks
differ in their modules only; data, seeds, steps and optimizer are the same. Each
network uses its best learning rate of `--learning_rates`. Prints for each network its
multiplications and parameters, the seconds of a training step and its gain on held-out
photos, in dB. About six minutes on two cores.

`modules` compares our attention module with modules that cost at least as much;
`frequencies` compares pyramid convolutions with either form of attention and without.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # No start-up noise.

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import app, flags

from tf_imgcomp.image_files.images import read_image
from tf_imgcomp.layers import (
    FastDeepResidualAttention,
    InverseLappedTransform,
    LappedTransform,
    PyramidConvolution,
    ResidualBlock,
    SimplifiedAttention,
)
from tf_imgcomp.layers.base import conv
from tf_imgcomp.layers.frequency import FORMS

_DATA = flags.DEFINE_string("data", None, "Folder of photos.", required=True)
_COMPARE = flags.DEFINE_enum(
    "compare", "modules", ["modules", "frequencies"], "Networks."
)
_STEPS = flags.DEFINE_integer("steps", 200, "Training steps of each network.")
_SEEDS = flags.DEFINE_integer("seeds", 3, "Training runs to average.")
_LEARNING_RATES = flags.DEFINE_list(
    "learning_rates", "1e-3,3e-3", "Tried with the first seed; the best one is used."
)

FILTERS = 96
CROP, BATCH = 128, 4


def pyramid(form: str | None) -> Callable:
    """Constructor of a pyramid convolution with one form of attention, or none."""

    def make(filters: int) -> PyramidConvolution:
        module = PyramidConvolution(filters, form or FORMS[0], CROP // 8)
        if form is None:
            module.attention = tf.identity
        return module

    make.__name__ = f"PyramidConvolution, {form or 'no attention'}"
    return make


# Modules and their number. `modules` has two groups; the first of each costs the most.
NETWORKS = {
    "modules": (
        (SimplifiedAttention, 2),
        (FastDeepResidualAttention, 2),
        (ResidualBlock, 2),
        (SimplifiedAttention, 4),
        (FastDeepResidualAttention, 5),
        (ResidualBlock, 4),
    ),
    "frequencies": (
        *((pyramid(form), 4) for form in (*FORMS, None)),
        (FastDeepResidualAttention, 2),
    ),
}
TRAIN_PHOTOS, TEST_PHOTOS, CROPS_PER_PHOTO = 200, 40, 4
STEP = 0.3  # Quantizer step for pixels in [-1, 1]: 38 grey levels.


def read_crops(folder: Path) -> np.ndarray:
    """Random crops of photos in a fixed order, uint8 `(n, CROP, CROP, 3)`."""
    random = np.random.default_rng(0)
    crops = []
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    for index in random.permutation(len(paths)):
        photo = read_image(paths[index]).pixels
        top, left = (size - CROP for size in photo.shape[:2])
        if min(top, left) < 0:
            continue
        for _ in range(CROPS_PER_PHOTO):
            row, column = random.integers(top + 1), random.integers(left + 1)
            crops.append(photo[row : row + CROP, column : column + CROP])
        if len(crops) == (TRAIN_PHOTOS + TEST_PHOTOS) * CROPS_PER_PHOTO:
            break
    return np.stack(crops)


def degrade(x: np.ndarray) -> np.ndarray:
    """Images after a transform, a quantizer and the inverse transform."""
    transform, inverse = LappedTransform(256), InverseLappedTransform(256)
    batches = np.array_split(x, max(1, len(x) // 32))
    restored = [inverse(tf.round(transform(b) / STEP) * STEP).numpy() for b in batches]
    return np.concatenate(restored)


class Network(tf.keras.Model):
    """Modules on 8x8 blocks, whose output is added to the image."""

    def __init__(self, module, count: int):
        super().__init__()
        self.first = conv(FILTERS, 1)
        self.blocks = [module(FILTERS) for _ in range(count)]
        self.last = conv(192, 1, kernel_initializer="zeros")

    def call(self, x):
        h = self.first(tf.nn.space_to_depth(x, 8))
        for block in self.blocks:
            h = block(h)
        return x + STEP * tf.nn.depth_to_space(self.last(h), 8)


class Trainee:
    """A network with its training step, which is traced once for all its runs."""

    def __init__(self, module, count: int):
        self.name = f"{count} x {module.__name__}"
        self.make = lambda: Network(module, count)
        self.network = self.make()
        self.network(tf.zeros((1, CROP, CROP, 3)))
        self.optimizer = tf.keras.optimizers.Adam()
        self.optimizer.build(self.network.trainable_variables)
        self.step = tf.function(self._step)

    def _step(self, x, target, rate):
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.network(x) - target))
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))

    def train(self, x, target, rate: float, seed: int):
        """Trains from new weights; the rate falls to zero as half a cosine."""
        tf.keras.utils.set_random_seed(seed)
        fresh = self.make()
        fresh(tf.zeros((1, CROP, CROP, 3)))
        self.network.set_weights(fresh.get_weights())
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros_like(variable))
        random = np.random.default_rng(seed)
        for step in range(_STEPS.value):
            chosen = random.integers(len(x), size=BATCH)
            decay = 0.5 * (1 + np.cos(np.pi * step / _STEPS.value))
            self.step(x[chosen], target[chosen], tf.constant(rate * decay, tf.float32))

    def gain(self, x, target) -> float:
        """Mean improvement of the PSNR of images, in dB."""
        parts = np.array_split(x, max(1, len(x) // 32))
        restored = np.concatenate([self.network(part).numpy() for part in parts])
        before, after = (np.mean((h - target) ** 2, (1, 2, 3)) for h in (x, restored))
        return float(np.mean(10 * np.log10(before / after)))

    def multiplications(self) -> float:
        """Multiplications of the modules for one position at 1/8 of the resolution."""

        def blocks(h):
            for block in self.network.blocks:
                h = block(h)
            return h

        spec = tf.TensorSpec((1, 16, 16, FILTERS))
        graph = tf.function(blocks).get_concrete_function(spec).graph
        total = 0
        for op in graph.get_operations():
            if op.type == "Conv2D":
                kernel, result = op.inputs[1].shape, op.outputs[0].shape
                total += np.prod(kernel) * np.prod(result[1:3])
        return total / 16**2


def main(argv: list[str]) -> None:
    crops = read_crops(Path(_DATA.value)).astype(np.float32) / 127.5 - 1
    degraded = degrade(crops)
    tests = TEST_PHOTOS * CROPS_PER_PHOTO
    train = degraded[tests:], crops[tests:]
    test = degraded[:tests], crops[:tests]
    trainees = [Trainee(*network) for network in NETWORKS[_COMPARE.value]]
    rates = [float(rate) for rate in _LEARNING_RATES.value]
    results = []
    for trainee in trainees:
        found = {}
        for rate in rates:
            trainee.train(*train, rate, 0)
            found[rate] = [trainee.gain(*test)]
        best = max(found, key=found.get)
        for seed in range(1, _SEEDS.value):
            trainee.train(*train, best, seed)
            found[best].append(trainee.gain(*test))
        results.append((best, found[best]))
    seconds = [[] for _ in trainees]
    for _ in range(20):  # In turns, so that other load affects all equally.
        for trainee, times in zip(trainees, seconds):
            start = time.perf_counter()
            trainee.step(train[0][:BATCH], train[1][:BATCH], tf.constant(0.0))
            times.append(time.perf_counter() - start)
    print("| network | MAC/position | parameters | s/step | rate | gain, dB | seeds |")
    print("|---|---|---|---|---|---|---|")
    for trainee, times, (rate, gains) in zip(trainees, seconds, results):
        macs, count = trainee.multiplications(), trainee.network.count_params()
        print(
            f"| {trainee.name} | {macs / FILTERS**2:.1f} c² = {macs / 1e3:.0f} k "
            f"| {count / 1e3:.0f} k | {np.median(times):.3f} | {rate:g} "
            f"| {np.mean(gains):.3f} | {', '.join(f'{gain:.3f}' for gain in gains)} |"
        )


if __name__ == "__main__":
    app.run(main)
