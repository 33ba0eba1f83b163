"""A real photo, and the codecs available to this Python."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_imgcomp.classical import CODECS

PHOTO = Path(__file__).parents[2] / "examples" / "chelsea.png"


@pytest.fixture(scope="session")
def photo():
    """A cat's face, the source of bpg_reference/: uint8 (203, 301, 3)."""
    with Image.open(PHOTO) as image:
        return np.array(image.convert("RGB"))[20 : 20 + 203, 50 : 50 + 301]


@pytest.fixture
def get_codec():
    """Returns a codec by its name; skips the test if it is not available."""

    def get(name):
        if missing := CODECS[name].available():
            pytest.skip(missing)
        return CODECS[name]

    return get


@pytest.fixture(params=CODECS)
def codec(request, get_codec):
    """Each codec in turn."""
    return get_codec(request.param)
