"""Takes a few steps of plain gradient descent with an exported step.

    python exported_losses.py RUNNER STEP_FOLDER

Runs with JAX and without TensorFlow; prints the losses, the last one of the exported
evaluation, as JSON.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

STEPS, RATE = 3, 1e-3
IMAGES = np.random.RandomState(1).randint(0, 256, (2, 64, 64, 3)).astype(np.uint8)
QUALITY = np.array([20.0, 80.0], np.float32)


def main(runner: str, folder: str) -> None:
    import jax

    spec = importlib.util.spec_from_file_location("runner", runner)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    programs = module.Programs(Path(folder))
    with np.load(Path(folder) / "parameters.npz") as values:
        parameters = {name: values[name] for name in values.files}
    step, evaluate = jax.jit(programs.step()), jax.jit(programs.evaluate())
    losses = []
    for number in range(STEPS):
        seed = np.array([number, 7], np.int32)
        gradients, metrics = step(parameters, IMAGES, seed, QUALITY)
        losses.append(float(metrics[0]))
        for name, gradient in gradients.items():
            parameters[name] = parameters[name] - RATE * gradient
    losses.append(float(evaluate(parameters, IMAGES, QUALITY)[0]))
    print(json.dumps(losses))


if __name__ == "__main__":
    main(*sys.argv[1:])
