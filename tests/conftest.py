"""Settings and images that all tests share."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Before any TensorFlow import.

import numpy as np
import pytest


@pytest.fixture
def make_image():
    """Returns a function that makes a small colourful image with some detail."""

    def make(height: int, width: int, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[:height, :width]
        waves = [
            np.sin(rows / rng.uniform(3, 20) + columns / rng.uniform(3, 20) + phase)
            for phase in rng.uniform(0, 6, 3)
        ]
        noise = rng.normal(scale=6, size=(height, width, 1))
        pixels = 128 + 90 * np.stack(waves, axis=-1) + noise
        return np.clip(pixels, 0, 255).astype(np.uint8)

    return make


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """The folder of a tiny exported codec, for `models.load(str(tiny_model))`."""
    return Path(__file__).parent / "golden" / "tiny"
