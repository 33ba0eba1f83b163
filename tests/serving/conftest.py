"""A tiny codec with tiles of 64 pixels, exported natively and for servers; servers."""

import functools
from pathlib import Path
from types import SimpleNamespace

import pytest
import tensorflow as tf

from tests import tiny
from tests.serving.triton_server import Triton
from tf_imgcomp.export import codec, postfilter, saving
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_coding import TileModel
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.serving import export

PIXELS_MAX = 50_000


@pytest.fixture(scope="package")
def models_folder(tmp_path_factory) -> Path:
    """The folder of a codec of few layers, and of a filter for it."""
    folder = tmp_path_factory.mktemp("models")
    few = {"analysis_modules": 0, "synthesis_modules": 0, "feedback": (0.6,)}
    sizes = {**tiny.sizes(slices=(8, 16)), **few}
    _save_codec(tiny.randomized(sizes), sizes, folder / "tiny")
    facts = {"postfilter": "xue2019", "sizes": tiny.FILTER_SIZES}
    postfilter.export(tiny.random_filter(), folder / "tiny+xue2019", facts)
    return folder


def _save_codec(trained, sizes, folder):
    module = codec.CodecModule(trained, tile=64)
    facts = {"bytes_per_pixel": trained.bytes_per_pixel, **module.card}
    card = {"codec": "fdram", "sizes": sizes}
    saving.save(module, module.signatures, folder, facts, card)


@pytest.fixture(scope="package")
def exports(models_folder, tmp_path_factory) -> Path:
    """The folder of exports of both for a server."""
    output = tmp_path_factory.mktemp("exports")
    for model in models_folder.iterdir():
        export.export(model, output, pixels_max=PIXELS_MAX)
    return output


@pytest.fixture(scope="package")
def native(models_folder) -> LearnedCodec:
    """The codec."""
    return LearnedCodec(TileModel(models_folder / "tiny"), Workers(2))


@pytest.fixture(scope="package")
def serving_folder(exports) -> Path:
    """Its export for a server."""
    return exports / "tiny" / "1"


@pytest.fixture(scope="package")
def shared_triton(models_folder, exports):
    """A Triton that serves the exports; a test may end it."""
    pytest.importorskip("pytriton.triton", reason="Triton is not installed")
    server = Triton(models_folder, exports, PIXELS_MAX)
    yield server
    server.kill()


@pytest.fixture
def triton(shared_triton):
    """The same, running."""
    if not shared_triton.is_running:
        shared_triton.start()
    return shared_triton


@pytest.fixture(scope="package")
def tensorflow_serving(exports):
    """A stand-in for TensorFlow Serving that serves the exports."""
    pytest.importorskip("tensorflow_serving.apis", reason="the client is not installed")
    from tests.serving.prediction_service import Service, running

    service = Service([each / "1" for each in exports.iterdir()])
    with running(service) as port:
        yield SimpleNamespace(url=f"tfs://127.0.0.1:{port}", service=service)


@functools.cache
def _load_folder(folder):
    return models.load_folder(folder)


@pytest.fixture
def folder(tmp_path, monkeypatch, models_folder):
    """The current folder, for programs that know the models, and load them once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_IMGCOMP_MODELS", str(models_folder))
    loaded = {each: _load_folder(each) for each in models_folder.iterdir()}
    monkeypatch.setattr(models, "load_folder", lambda folder, workers: loaded[folder])
    # The programs change options of the whole process.
    monkeypatch.setattr(tf.config.optimizer, "set_experimental_options", lambda _: None)
    set_threads = "set_intra_op_parallelism_threads"
    monkeypatch.setattr(tf.config.threading, set_threads, lambda _: None)
    return tmp_path
