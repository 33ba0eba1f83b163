"""Trains what bin/export_step exported, on any machine with a recent JAX.

    python portable/train.py STEP --data=photos.zip --output=OUT --minutes=20

STEP is a folder of bin/export_step, photos.zip a file of bin/pack_images.
It needs jax, optax, numpy and pillow (requirements.txt), but not this package.

Photos stay on the device, where crops, flips and qualities are drawn. OUT gets

    weights.npz      the averaged weights by name
    spec.json        the exported description, with the steps and seconds of training
    checkpoint.npz   the state of the run; with the same OUT, a new start resumes it
    metrics.csv      a line for each logged step

Checkpoint, weights and description are written atomically, every --checkpoint_minutes
and at the end. The run ends after the exported number of steps or after --minutes over
all its starts, without those of compiling, whichever comes first. The learning rate
falls to zero along a cosine until then, whatever schedule was exported: a plateau would
need validation. A run that makes no step is an error. SIGTERM ends the run early.
bin/import_weights makes a model of OUT.
"""

import argparse
import dataclasses
import io
import json
import os
import signal
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxlib import _jax  # Reads HLO; no public function does.
from PIL import Image

EVALUATION_BATCHES = 16


class Photos(NamedTuple):
    """Photos on the device, all pixels in one array.

    Attributes:
        pixels: uint8 `(n, c)`, photo after photo, row by row.
        places: int32 `(p, 3)`. First pixel, height and width of each photo.
    """

    pixels: jax.Array
    places: jax.Array


class State(NamedTuple):
    """State of a run, which a step updates.

    Attributes:
        step: int32 scalar.
        trained: dict of the trained parameters by name.
        average: their exponential average.
        adam: the optimizer's state.
        norm: float32 scalar. Running average of the gradients' norm.
        skipped: int32 scalar. Number of skipped steps.
    """

    step: jax.Array
    trained: dict
    average: dict
    adam: optax.OptState
    norm: jax.Array
    skipped: jax.Array


def load_program(file: Path, inputs: list, outputs: list):
    """An HLO program as a function that JAX can transform.

    Args:
        file: a serialized `HloModuleProto`.
        inputs, outputs: `jax.ShapeDtypeStruct` of each.
    """
    stand_in = jax.jit(
        lambda *_: tuple(jnp.zeros(o.shape, o.dtype) for o in outputs), keep_unused=True
    )
    exported = jax.export.export(stand_in)(*inputs)
    stablehlo = _jax.mlir.hlo_to_stablehlo(file.read_bytes())
    return dataclasses.replace(exported, mlir_module_serialized=stablehlo).call


class Programs:
    """The exported programs as functions of parameters by name.

    Args:
        folder: folder that bin/export_step wrote.
    """

    def __init__(self, folder: Path):
        self.folder, self.spec = folder, json.loads((folder / "spec.json").read_text())
        spec, shape = self.spec, jax.ShapeDtypeStruct
        batch, crop = spec["batch"], spec["crop"]
        self._parameters = {
            name: shape(sizes, jnp.float32)
            for name, sizes in spec["parameters"].items()
        }
        channels = 3 * spec["sampling"]["pictures"]
        self._images = shape((batch, crop, crop, channels), jnp.uint8)
        self._seed = shape((2,), jnp.int32)
        self._quality = shape((batch,), jnp.float32)
        self._scalars = [shape((), jnp.float32)] * (1 + len(spec["metrics"]))

    def step(self):
        """Function of parameters, images, a seed and qualities.

        It returns gradients by name, and the loss followed by the metrics, float32.
        """
        trained = self.spec["trained"]
        outputs = [self._parameters[name] for name in trained] + self._scalars
        inputs = (self._images, self._seed, self._quality)
        program = self._load("step", inputs, outputs)

        def step(values: dict, *data):
            results = program(*(values[name] for name in self._parameters), *data)
            metrics = jnp.stack(results[len(trained) :])
            return dict(zip(trained, results)), metrics

        return step

    def evaluate(self):
        """Function of parameters, images and qualities: the loss and the metrics."""
        inputs = (self._images, self._quality)
        program = self._load("evaluate", inputs, self._scalars)
        return lambda values, *data: jnp.stack(
            program(*(values[name] for name in self._parameters), *data)
        )

    def _load(self, name: str, data: tuple, outputs: list):
        inputs = [*self._parameters.values(), *data]
        return load_program(self.folder / f"{name}.hlo", inputs, outputs)


def load_photos(file: Path, group: str, pictures: int) -> Photos:
    """Decodes the photos of a group ("train" or "held_out") in a packed file.

    Damaged ones are left out and named. An image that shows several pictures, one above
    another, becomes one photo with `3 * pictures` channels.
    """
    pixels, places, start, unreadable = [], [], 0, 0
    with zipfile.ZipFile(file) as packed:
        for name in sorted(packed.namelist()):
            if not name.startswith(f"{group}/"):
                continue
            try:
                with Image.open(io.BytesIO(packed.read(name))) as image:
                    photo = np.asarray(image.convert("RGB"))
            except Exception as error:  # Pillow raises many types.
                unreadable += 1
                print(f"{name}: not readable, left out: {error}", flush=True)
                continue
            height, width = photo.shape[0] // pictures, photo.shape[1]
            shown = photo.reshape(pictures, height * width, 3).transpose(1, 0, 2)
            pixels.append(shown.reshape(height * width, -1))
            places.append((start, height, width))
            start += height * width
    if unreadable:
        print(f"{unreadable} photos of {file} are not readable", flush=True)
    if not places:
        raise SystemExit(f"{file} has no photos of the group {group!r}.")
    if start >= 2**31:
        raise SystemExit(f"{file} has {start / 1e9:.1f} Gpixel, the limit is 2.1.")
    return Photos(
        jax.device_put(np.concatenate(pixels)),
        jax.device_put(np.array(places, np.int32)),
    )


def random_crop(
    photos: Photos, key: jax.Array, size: int, scale_min: float
) -> jax.Array:
    """A random square of a random photo, perhaps reduced, mirrored or turned, uint8."""
    keys = jax.random.split(key, 5)
    place = photos.places[jax.random.randint(keys[0], (), 0, len(photos.places))]
    start, height, width = place
    reach_max = int(size / scale_min)
    largest = jnp.minimum(jnp.minimum(height, width), reach_max)
    side = jax.random.randint(keys[1], (), size, jnp.maximum(largest, size) + 1)
    top = jax.random.randint(keys[2], (), 0, jnp.maximum(height - side, 0) + 1)
    left = jax.random.randint(keys[3], (), 0, jnp.maximum(width - side, 0) + 1)
    # The largest window; the edges of smaller photos are repeated.
    reach = jnp.arange(reach_max)
    rows = jnp.minimum(top + reach, height - 1)
    columns = jnp.minimum(left + reach, width - 1)
    window = photos.pixels[start + rows[:, None] * width + columns[None]]
    square = jax.image.scale_and_translate(
        window.astype(jnp.float32),
        (size, size, window.shape[-1]),
        (0, 1),
        jnp.full(2, size / side),
        jnp.zeros(2),
        method="lanczos3",
    )
    square = jnp.clip(jnp.round(square), 0, 255).astype(jnp.uint8)
    across, down, turn = jax.random.bernoulli(keys[4], shape=(3,))
    square = jnp.where(across, square[:, ::-1], square)
    square = jnp.where(down, square[::-1], square)
    return jnp.where(turn, square.transpose(1, 0, 2), square)


def draw_batch(photos: Photos, key: jax.Array, spec: dict) -> tuple:
    """Random crops, and a quality for each from its own equal part of the range."""
    count, (lowest, highest) = spec["batch"], spec["quality"]
    crops, qualities = jax.random.split(key)
    size, scale_min = spec["crop"], spec["sampling"]["scale_min"]
    images = jax.vmap(lambda k: random_crop(photos, k, size, scale_min))(
        jax.random.split(crops, count)
    )
    position = (jnp.arange(count) + jax.random.uniform(qualities, (count,))) / count
    return images, lowest + (highest - lowest) * position


class Trainer:
    """The run; everything but clock and files is on the device.

    Args:
        programs: the exported step.
        photos: training photos.
        steps_per_call: steps between two looks at the clock.
    """

    def __init__(self, programs: Programs, photos: Photos, steps_per_call: int):
        self.spec, self.steps_per_call = programs.spec, steps_per_call
        options = self.spec["optimization"]
        self._options, self._photos = options, photos
        adam = self.spec["optimizer"]
        self._step = programs.step()
        self._adam = optax.chain(
            optax.clip_by_global_norm(options["clip_norm"]),
            optax.scale_by_adam(adam["beta_1"], adam["beta_2"], adam["epsilon"]),
        )
        self._schedule = optax.warmup_cosine_decay_schedule(
            0.0,
            options["learning_rate"],
            options["warmup_steps"],
            max(options["steps"], options["warmup_steps"] + 1),
        )
        with np.load(programs.folder / "parameters.npz") as values:
            parameters = {name: values[name] for name in self.spec["parameters"]}
        # On the device from the start, as a step's results are: for another kind of
        # input, JAX would compile again.
        parameters = jax.device_put(parameters)
        trained = {name: parameters.pop(name) for name in self.spec["trained"]}
        self._fixed = parameters
        self.state = jax.device_put(
            State(
                step=jnp.zeros((), jnp.int32),
                trained=trained,
                average=jax.tree.map(jnp.copy, trained),
                adam=self._adam.init(trained),
                norm=jnp.zeros(()),
                skipped=jnp.zeros((), jnp.int32),
            )
        )
        self._call = jax.jit(self._many_steps, donate_argnums=0)

    def compile(self) -> float:
        """Compiles the step; returns its arithmetic operations, as XLA counts them."""
        arguments = (self.state, self._photos, self._fixed, 0.0)
        self._call = self._call.lower(*arguments).compile()
        # XLA counts the body of a loop once.
        return (self._call.cost_analysis() or {}).get("flops", float("nan"))

    def advance(self, position: float) -> np.ndarray:
        """Takes `steps_per_call` steps.

        Args:
            position: position in the learning rate schedule, in steps.

        Returns:
            Mean loss, metrics and norm of the gradients, float32.
        """
        self.state, metrics = self._call(
            self.state, self._photos, self._fixed, float(position)
        )
        return np.asarray(metrics)

    def weights(self) -> dict:
        """All parameters by name; trained ones are averaged."""
        return jax.device_get({**self._fixed, **self.state.average})

    def _many_steps(self, state, photos, fixed, position):
        def one(state, number):
            return self._one_step(state, photos, fixed, position + number)

        state, metrics = jax.lax.scan(one, state, jnp.arange(self.steps_per_call))
        return state, metrics.mean(axis=0)

    def _one_step(self, state, photos, fixed, position):
        spec = self.spec
        key = jax.random.fold_in(jax.random.key(spec["seed"]), state.step)
        data, noise = jax.random.split(key)
        images, quality = draw_batch(photos, data, spec)
        seed = jax.random.randint(noise, (2,), 0, 2**31 - 1)
        values = {**fixed, **state.trained}
        gradients, metrics = self._step(values, images, seed, quality)
        norm = optax.global_norm(gradients)
        fit, running = self._judge(state, norm)
        updates, adam = self._adam.update(gradients, state.adam)
        rate = -self._schedule(position)
        updates = jax.tree.map(lambda update: rate * update, updates)
        trained = optax.apply_updates(state.trained, updates)
        trained, adam = jax.tree.map(
            lambda new, old: jnp.where(fit, new, old),
            (trained, adam),
            (state.trained, state.adam),
        )
        decay = self._options["average_decay"]
        average = optax.incremental_update(trained, state.average, 1 - decay)
        skipped = state.skipped + (1 - fit.astype(jnp.int32))
        state = State(state.step + 1, trained, average, adam, running, skipped)
        return state, jnp.append(metrics, norm)

    def _judge(self, state, norm):
        """Whether to take a step with this norm of the gradients, and the new average.

        A step is skipped if the norm is not finite, or so far above the average that
        the step could undo a thousand others.
        """
        options = self._options
        trusted = state.step >= options["norm_warmup"]
        limit = options["spike_factor"] * state.norm
        finite = jnp.isfinite(norm)
        fit = finite & ~(trusted & (norm > limit))
        counted = jnp.where(trusted, jnp.minimum(norm, limit), norm)
        decay = jnp.where(trusted, options["norm_decay"], options["norm_warmup_decay"])
        decay *= state.step > 0
        mean = decay * state.norm + (1 - decay) * counted
        return fit, jnp.where(finite, mean, state.norm)


def save(file: Path, values: dict) -> None:
    """Writes arrays by name, atomically."""
    part = file.with_suffix(".part")
    with open(part, "wb") as out:
        np.savez(out, **values)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def save_checkpoint(trainer: Trainer, output: Path, seconds: float) -> None:
    """Writes the state of the run and its averaged weights."""
    leaves = jax.device_get(jax.tree.leaves(trainer.state))
    state = {f"leaf_{number}": leaf for number, leaf in enumerate(leaves)}
    save(output / "checkpoint.npz", {**state, "seconds": np.float64(seconds)})
    save(output / "weights.npz", trainer.weights())
    spec = {**trainer.spec, "steps": int(trainer.state.step), "seconds": seconds}
    part = output / "spec.part"
    part.write_text(json.dumps(spec, indent=1) + "\n")
    part.replace(output / "spec.json")


def load_checkpoint(trainer: Trainer, output: Path) -> float:
    """Restores the last checkpoint, if any; returns its seconds of training."""
    if not (output / "checkpoint.npz").exists():
        return 0.0
    leaves, structure = jax.tree.flatten(trainer.state)
    with np.load(output / "checkpoint.npz") as saved:
        values = [saved[f"leaf_{number}"] for number in range(len(leaves))]
        seconds = float(saved["seconds"])
    if [v.shape for v in values] != [leaf.shape for leaf in leaves]:
        raise SystemExit(f"{output}/checkpoint.npz is of another run.")
    trainer.state = jax.device_put(jax.tree.unflatten(structure, values))
    return seconds


def train(trainer: Trainer, output: Path, minutes: float, checkpoint_minutes: float):
    """Trains to the end of the schedule or of the time."""
    spec, steps = trainer.spec, trainer.spec["optimization"]["steps"]
    budget = 60 * minutes
    before = load_checkpoint(trainer, output)
    if trainer.state.step:
        print(f"resumed at step {int(trainer.state.step)}", flush=True)
    print("compiling, which can take minutes", flush=True)
    start = time.monotonic()
    flops = trainer.compile()
    begin = saved = time.monotonic()
    print(f"compiled in {begin - start:.0f} s", flush=True)
    names = ["loss", *spec["metrics"], "gradient_norm"]
    metrics_file = output / "metrics.csv"
    if not metrics_file.exists():
        metrics_file.write_text(",".join(["step", "seconds", *names]) + "\n")
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    window, logged = time.monotonic(), int(trainer.state.step)
    while not stopped:
        step, seconds = int(trainer.state.step), before + time.monotonic() - begin
        if step >= steps or seconds >= budget:
            break
        metrics = trainer.advance(max(step, steps * seconds / budget))
        now, step = time.monotonic(), int(trainer.state.step)
        if step - logged >= spec["log_every"]:
            rate, window, logged = (step - logged) / (now - window), now, step
            seconds = before + now - begin
            row = [step, round(seconds, 1), *(f"{value:.6g}" for value in metrics)]
            with open(metrics_file, "a") as out:
                out.write(",".join(map(str, row)) + "\n")
            figures = "  ".join(f"{n} {v:.4g}" for n, v in zip(names, metrics))
            print(
                f"step {step}  {figures}  skipped {int(trainer.state.skipped)}  "
                f"{rate * spec['batch']:.1f} images/s  {rate * flops / 1e9:.0f} GFLOP/s"
                f"  {seconds / 60:.1f} of {minutes:g} min",
                flush=True,
            )
        if now - saved > 60 * checkpoint_minutes:
            save_checkpoint(trainer, output, before + now - begin)
            saved = now
    if not trainer.state.step:
        raise SystemExit("no step was made: give it more --minutes")
    save_checkpoint(trainer, output, before + time.monotonic() - begin)
    memory = jax.devices()[0].memory_stats() or {}
    peak = memory.get("peak_bytes_in_use", 0) / 2**30
    print(f"stopped at step {int(trainer.state.step)}, peak memory {peak:.1f} GiB")


def evaluate(programs: Programs, weights: dict, photos: Photos) -> None:
    """Prints loss and metrics of weights on crops of photos, always the same crops."""
    spec, program = programs.spec, jax.jit(programs.evaluate())
    keys = jax.random.split(jax.random.key(0), EVALUATION_BATCHES)
    draw = jax.jit(lambda key: draw_batch(photos, key, spec))
    weights = jax.device_put(weights)
    means = np.mean([program(weights, *draw(key)) for key in keys], axis=0)
    names = ["loss", *spec["metrics"]]
    print("held out:", *(f" {n} {v:.4g}" for n, v in zip(names, means)), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", type=Path, help="folder of bin/export_step")
    parser.add_argument("--data", type=Path, required=True, help="packed photos")
    parser.add_argument("--output", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, default=1e6, help="budget of time")
    parser.add_argument("--checkpoint_minutes", type=float, default=1.5)
    parser.add_argument("--steps_per_call", type=int, default=10)
    parser.add_argument(
        "--evaluate", action="store_true", help="evaluate held-out photos at the end"
    )
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    programs = Programs(options.step)
    pictures = programs.spec["sampling"]["pictures"]
    photos = load_photos(options.data, "train", pictures)
    print(f"{len(photos.places)} photos on {jax.devices()[0].device_kind}", flush=True)
    trainer = Trainer(programs, photos, options.steps_per_call)
    train(trainer, options.output, options.minutes, options.checkpoint_minutes)
    if options.evaluate:
        held_out = load_photos(options.data, "held_out", pictures)
        evaluate(programs, trainer.weights(), held_out)


if __name__ == "__main__":
    main()
