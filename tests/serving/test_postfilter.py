"""A filter exported for a server, against the native export."""

import io

import numpy as np
import pytest
from PIL import Image

from tests import tiny
from tests.serving.server import run, strings
from tf_imgcomp.export import postfilter
from tf_imgcomp.image_codecs.tile_filtering import SavedFilter
from tf_imgcomp.postfilter.ensembles import ENSEMBLES
from tf_imgcomp.serving import export, warmup

pytestmark = pytest.mark.slow

QP = 37.0


def _png(pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """The native filter, and the folder of its serving export."""
    folder = tmp_path_factory.mktemp("models") / "tiny+xue2019"
    facts = {"postfilter": "xue2019", "sizes": tiny.FILTER_SIZES}
    postfilter.export(tiny.random_filter(), folder, facts)
    return SavedFilter(folder), export.export(
        folder, tmp_path_factory.mktemp("serving")
    )


def test_pixels_are_those_of_the_native_filter(exports, make_image, tmp_path):
    native, folder = exports
    pixels = make_image(50, 70)
    images = strings(_png(pixels), b"no image", _png(pixels[..., 0]))
    qp = np.float32([QP, QP, QP])
    tiles = {"images": np.stack([pixels, pixels[::-1]]), "qp": np.float32([QP, QP])}
    calls = [
        ("filter", {"images": images, "qp": qp}),
        ("flips", {"images": images, "qp": qp}),
        ("filter_tiles", tiles),
        ("rotations_tiles", tiles),
        ("flips_tiles", tiles),
    ]
    *files, plain, rotations, flips = run(folder, calls, tmp_path)
    for ensemble, result in zip(("none", "flips"), files):
        errors = result["error"].tolist()
        assert errors == [b"", b"not a JPEG or PNG image", b""]
        found = np.asarray(Image.open(io.BytesIO(result["images_bytes"][0])))
        difference = found.astype(int) - native(pixels, QP, ensemble)
        assert np.abs(difference).max() <= 1
        assert Image.open(io.BytesIO(result["images_bytes"][2])).mode == "L"
    for ensemble, made in zip(ENSEMBLES, (plain, rotations, flips)):
        for image, source in zip(made["images"], tiles["images"]):
            difference = image.astype(int) - native(source, QP, ensemble)
            assert np.abs(difference).max() <= 1


def test_there_are_warm_up_requests(exports):
    _, folder = exports
    assert (folder / warmup.FILE).stat().st_size
