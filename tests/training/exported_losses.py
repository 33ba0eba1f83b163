"""Takes a few steps down the gradient, of equal length, with an exported step.

    python exported_losses.py RUNNER STEP_FOLDER

Needs JAX, not TensorFlow. Prints the losses as JSON; the last one is from the exported
evaluation.
"""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np

STEPS, LENGTH = 3, 0.03
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
        norm = np.sqrt(sum(float((g**2).sum()) for g in gradients.values()))
        for name, gradient in gradients.items():
            parameters[name] = parameters[name] - LENGTH / norm * gradient
    losses.append(float(evaluate(parameters, IMAGES, QUALITY)[0]))
    print(json.dumps(losses))


if __name__ == "__main__":
    main(*sys.argv[1:])
