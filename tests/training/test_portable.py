"""Training without TensorFlow: the exported step, its runner, and import of weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests import tiny
from tests.training import exported_losses
from tf_imgcomp.data.packing import pack_photos
from tf_imgcomp.training.codec_objective import codec_objective
from tf_imgcomp.training.optimization import OptimizationConfig
from tf_imgcomp.training.portable import export_step
from tf_imgcomp.training.step import Trainable
from tf_imgcomp.training.trainer import TrainerConfig
from tf_imgcomp.training.weights import load_weights, named_variables

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "portable" / "train.py"
STEPS = 6
# XLA takes minutes to optimize the smallest step of cheng2020, seconds without.
_COMPILE_FAST = {**os.environ, "XLA_FLAGS": "--xla_backend_optimization_level=0"}


@pytest.fixture(scope="module")
def trainable():
    codec = tiny.randomized(tiny.PLAIN)
    return Trainable(codec, codec_objective(codec, noise=True))


@pytest.fixture(scope="module")
def step_folder(trainable, tmp_path_factory):
    """The tiny codec's step, exported."""
    folder = tmp_path_factory.mktemp("step")
    config = TrainerConfig(
        OptimizationConfig(STEPS, learning_rate=1e-3, warmup_steps=1), log_every=1
    )
    card = {"codec": "fdram", "sizes": tiny.PLAIN, "flags": []}
    export_step(trainable, folder, config, batch=2, crop=64, card=card)
    return folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Six photos in one file, one of them held out."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(1)
    for number in range(6):
        pixels = random.integers(0, 256, (9, 12, 3), np.uint8)
        photo = Image.fromarray(pixels).resize((96 + number, 70), Image.BICUBIC)
        photo.save(folder / f"a_{number}.png")
    photo.save(folder / "a_74.png")
    pack_photos(folder, folder / "photos.zip", 1e9)
    return folder / "photos.zip"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What JAX compiled before."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def jax_python():
    """A Python with the runner's packages, which bin/test sets up if they exist."""
    python = Path(os.environ.get("JAX_PYTHON", ROOT / ".venv-jax" / "bin" / "python"))
    if not python.exists():
        pytest.skip("no environment with JAX: see portable/requirements.txt")
    return str(python)


@pytest.mark.slow
def test_the_description_matches_the_model(trainable, step_folder):
    spec = json.loads((step_folder / "spec.json").read_text())
    variables = named_variables(trainable.model)
    assert list(spec["parameters"]) == list(variables) == spec["trained"]
    shapes = [variable.shape.as_list() for variable in variables.values()]
    assert list(spec["parameters"].values()) == shapes
    assert spec["metrics"] == ["bpp", "lagrangian", "mse", "z_bpp"]
    assert (spec["batch"], spec["crop"], spec["quality"]) == (2, 64, [1.0, 100.0])
    assert {"beta_1", "beta_2", "epsilon"} <= spec["optimizer"].keys()


@pytest.mark.slow
def test_parameters_come_back_exactly(trainable, step_folder):
    other = tiny.randomized(tiny.PLAIN, seed=2)
    load_weights(other, step_folder / "parameters.npz")
    for ours, theirs in zip(
        other.trainable_variables, trainable.model.trainable_variables
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_step_that_reads_what_is_not_an_input_is_refused(trainable, tmp_path):
    hidden = tf.Variable(2.0)

    def objective(images, seed, quality):
        loss, metrics = trainable.objective(images, seed, quality)
        return loss * hidden, metrics

    with pytest.raises(ValueError, match="Expected a step that reads its inputs only"):
        export_step(
            Trainable(trainable.model, objective),
            tmp_path,
            TrainerConfig(OptimizationConfig(1)),
            batch=1,
            crop=64,
            card={},
        )


@pytest.mark.slow
def test_only_what_is_chosen_has_gradients(trainable, tmp_path):
    chosen = Trainable(trainable.model, trainable.objective, "gain")
    config = TrainerConfig(OptimizationConfig(1), quality=50.0)
    export_step(chosen, tmp_path, config, batch=1, crop=64, card={})
    spec = json.loads((tmp_path / "spec.json").read_text())
    assert spec["trained"] == ["gain/log2_gain"]
    assert spec["quality"] == [50.0, 50.0]


def _losses(*command) -> list:
    run = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=_COMPILE_FAST,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["fdram", "mfca_pmcn", "cheng2020"])
def test_the_exported_step_computes_what_keras_does(codec, jax_python, tmp_path):
    expected = _losses(
        sys.executable, "-m", "tests.training.keras_losses", codec, tmp_path
    )
    losses = _losses(jax_python, exported_losses.__file__, RUNNER, tmp_path)
    assert (np.abs(np.diff(losses)) > 1e-4 * losses[0]).all()
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def _start(jax_python, step_folder, packed, output, cache, *options):
    command = [jax_python, str(RUNNER), str(step_folder), f"--data={packed}"]
    options = [f"--output={output}", "--steps_per_call=1", *options]
    environment = {
        **_COMPILE_FAST,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    return subprocess.Popen(
        [*command, *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _end(process) -> str:
    out, errors = process.communicate()
    assert process.returncode == 0, errors[-2000:]
    return out


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_and_ends_the_same(
    jax_python, step_folder, packed, cache, tmp_path
):
    run = (jax_python, step_folder, packed)
    always = "--checkpoint_minutes=0"
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    out = _end(_start(*run, whole, cache, "--evaluate"))
    assert "held out:" in out
    killed = _start(*run, parts, cache, always)
    while not (parts / "weights.npz").exists():  # The last of the files.
        assert killed.poll() is None, killed.stderr.read()[-2000:]
        time.sleep(0.01)
    time.sleep(float(np.random.default_rng().uniform(0, 0.2)))
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    with np.load(parts / "weights.npz") as weights:  # Whole at any moment.
        assert all(np.isfinite(weights[name]).all() for name in weights.files)
    _end(_start(*run, parts, cache, always))
    assert json.loads((parts / "spec.json").read_text())["steps"] == STEPS
    with np.load(parts / "weights.npz") as ours, np.load(whole / "weights.npz") as them:
        for name in them.files:
            np.testing.assert_allclose(ours[name], them[name], atol=1e-6)


@pytest.mark.slow
def test_a_run_without_a_step_is_an_error(
    jax_python, step_folder, packed, cache, tmp_path
):
    output = tmp_path / "out"
    run = (jax_python, step_folder, packed, output, cache)
    process = _start(*run, "--minutes=0")
    _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.endswith("no step was made: give it more --minutes\n")
    assert not (output / "weights.npz").exists()
    # Compiling takes seconds, and does not count.
    _end(_start(*run, "--minutes=0.001"))
    assert json.loads((output / "spec.json").read_text())["steps"] > 0


@pytest.mark.slow
def test_weights_become_a_model(jax_python, step_folder, packed, cache, tmp_path):
    """bin/import_weights, end to end."""
    output = tmp_path / "out"
    _end(_start(jax_python, step_folder, packed, output, cache))
    program = ROOT / "bin" / "import_weights.py"
    run = subprocess.run(
        [
            sys.executable,
            "-I",
            str(program),
            str(output),
            f"--model={tmp_path / 'mine'}",
            f"--data={packed.parent}",
            "--validation_photos=1",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    card = json.loads((tmp_path / "mine" / "card.json").read_text())
    assert (card["id"], card["steps"]) == ("mine", STEPS)
    assert card["validation"]["bpp_95"] > 0


@pytest.mark.parametrize("text", ["{", "[]", '{"card": {}}'])
def test_a_folder_that_no_run_wrote_is_refused(tmp_path, text):
    (tmp_path / "spec.json").write_text(text)
    program = ROOT / "bin" / "import_weights.py"
    model = tmp_path / "mine"
    arguments = [str(tmp_path), f"--model={model}", f"--data={tmp_path}"]
    run = subprocess.run(
        [sys.executable, "-I", str(program), *arguments], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.endswith("spec.json is not what portable/train.py writes\n")
    assert run.stderr.count("\n") == 1
    assert not model.exists()
