"""A tiny codec, exported natively and for a server, with tiles of 64 pixels."""

from pathlib import Path

import pytest

from tests import tiny
from tf_imgcomp.export import codec, saving
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_model import TileModel
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.serving import export

PIXELS_MAX = 50_000


@pytest.fixture(scope="package")
def native_folder(tmp_path_factory) -> Path:
    """The folder of a tiny codec."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    module = codec.CodecModule(tiny.random_codec(), tile=64)
    facts = {"codec": "fdram", "sizes": tiny.sizes(), **module.card}
    card = {"bytes_per_pixel": codec.BYTES_PER_PIXEL, **facts}
    saving.save(module, module.signatures, folder, card)
    return folder


@pytest.fixture(scope="package")
def native(native_folder) -> LearnedCodec:
    """The codec in it."""
    return LearnedCodec(TileModel(native_folder), Workers(2))


@pytest.fixture(scope="package")
def serving_folder(native_folder, tmp_path_factory) -> Path:
    """The same codec, exported for a server."""
    output = tmp_path_factory.mktemp("serving")
    return export.export(native_folder, output, pixels_max=PIXELS_MAX)
