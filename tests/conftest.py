"""Settings and images that all tests share."""

import json
import os
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # Before any TensorFlow import.

import numpy as np
import pytest

from tests.stub_codec import CARD, StubCodec
from tf_imgcomp.image_codecs import models


def pytest_collection_modifyitems(items):
    """Starts the longest test first: at the end it would run alone."""
    items.sort(key=lambda item: item.path.name != "test_wheel.py")


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


class Calls(NamedTuple):
    """What was done with the model of `stub_model`.

    Attributes:
        loaded: The names of the folders that were loaded.
        decoded: Region and scale of each file that was decoded.
    """

    loaded: list
    decoded: list


@pytest.fixture
def stub_model(tmp_path, monkeypatch):
    """Makes the stub the default model, in a folder of models; returns its `Calls`.

    The current folder is the one above.
    """
    folder = tmp_path / "models" / "stub"
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(CARD))
    calls = Calls([], [])

    class Codec(StubCodec):
        def from_file(self, file, region=None, scale=1):
            calls.decoded.append((region, scale))
            return super().from_file(file, region, scale)

    def load_folder(folder):
        calls.loaded.append(folder.name)
        return Codec()

    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(folder.parent))
    monkeypatch.setattr(models, "load_folder", load_folder)
    monkeypatch.setattr(models, "DEFAULT", "stub")
    monkeypatch.chdir(tmp_path)
    return calls
