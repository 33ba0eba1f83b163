"""A tiny codec with tiles so small that tests are quick."""

import pytest

from tests import tiny
from tf_imgcomp.export.codec import export
from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.workers import Workers

TILE = 128


@pytest.fixture(scope="session")
def tiled(tmp_path_factory):
    """A codec of nine tiles for an image of 300x280 pixels."""
    folder = tmp_path_factory.mktemp("models") / "tiled"
    export(tiny.golden_codec(), folder, {}, TILE)
    return models.load(str(folder), Workers(2))
