"""A tiny codec with tiles so small that tests are quick."""

import pytest

from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_coding import TileModel
from tf_imgcomp.image_codecs.workers import Workers

TILE = 128


@pytest.fixture(scope="session")
def tiled(tiny_model):
    """A codec of nine tiles for an image of 300x280 pixels."""
    model = TileModel(tiny_model)
    model.tile = TILE
    return LearnedCodec(model, Workers(2))
