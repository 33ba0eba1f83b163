"""The search for a file of a given size."""

from types import SimpleNamespace

import numpy as np
import pytest

from tf_imgcomp.classical import CODECS
from tf_imgcomp.classical.size_search import encode_within

PIXELS = np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize("name", ["jpeg", "jpeg444", "jpeg2000", "webp"])
def test_a_file_fits_and_the_next_setting_does_not(name, photo):
    codec = CODECS[name]
    for max_bytes in (3000, 9000):
        setting, data = encode_within(codec, photo, max_bytes)
        assert data == codec.encode(photo, setting)
        place = codec.all_settings.index(setting)
        larger = codec.encode(photo, codec.all_settings[place + 1])
        assert len(data) <= max_bytes < len(larger)
        assert len(data) > 0.8 * max_bytes


def test_ends_of_the_settings_are_found():
    sizes = {7: 100, 5: 200, 3: 300}
    codec = SimpleNamespace(
        all_settings=(7, 5, 3), encode=lambda pixels, setting: bytes(sizes[setting])
    )
    for max_bytes, expected in ((50, 7), (100, 7), (250, 5), (300, 3), (999, 3)):
        setting, data = encode_within(codec, PIXELS, max_bytes)
        assert (setting, len(data)) == (expected, sizes[expected])


def test_all_settings_are_in_the_order_of_the_usual_ones(codec):
    usual, every = codec.settings, codec.all_settings
    rising = usual[0] < usual[-1]
    assert sorted(every, reverse=not rising) == list(every)
    assert min(every) <= min(usual) < max(usual) <= max(every)
