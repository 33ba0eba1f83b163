"""A stub codec for tests of programs that do not need a trained one."""

import gc

import pytest
import tensorflow as tf

from tests.stub_codec import StubCodec
from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs import models


@pytest.fixture
def kept_options(monkeypatch):
    """Keeps programs from changing options of the whole process."""
    monkeypatch.setattr(tf.config.optimizer, "set_experimental_options", lambda _: None)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    for of in ("intra_op", "inter_op"):
        name = f"set_{of}_parallelism_threads"
        monkeypatch.setattr(tf.config.threading, name, lambda _: None)


@pytest.fixture
def stub(monkeypatch, kept_options):
    """Makes the stub the only model."""
    codec = StubCodec()

    def load(model, workers=None):
        if model != codec.id:
            raise ModelError(f"needs model {model!r}; there are: {codec.id}")
        return codec

    monkeypatch.setattr(models, "DEFAULT", codec.id)
    monkeypatch.setattr(models, "available", lambda: [codec.id])
    monkeypatch.setattr(models, "load", load)
    monkeypatch.setattr(models, "load_by_id", load)
    return codec
