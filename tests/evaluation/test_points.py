import dataclasses
import math

import numpy as np
import pytest

from tf_imgcomp.evaluation.points import Cache, measure


class Quantizer:
    """A stand-in for a codec: rounds grey levels down to multiples of the setting."""

    name = "quantizer"
    title = "Quantizer"

    def __init__(self, version="1"):
        self.version = version
        self.calls = 0

    def encode(self, pixels, setting):
        self.calls += 1
        coded = pixels // setting * setting
        return bytes(pixels.shape[:2]) + coded.tobytes()

    def decode(self, data):
        return np.frombuffer(data[2:], np.uint8).reshape(data[0], data[1], 3)


def test_a_point_holds_what_was_measured():
    x = np.full((16, 20, 3), 130, np.uint8)
    point = measure(Quantizer(), 4, "grey", x)
    assert (point.codec, point.setting, point.image) == ("quantizer", 4, "grey")
    assert (point.height, point.width) == (16, 20)
    assert point.num_bytes == 2 + 16 * 20 * 3
    assert point.bpp == pytest.approx(24 + 16 / 320)
    assert point.psnr == pytest.approx(20 * math.log10(255 / 2))
    assert 0.9 < point.ms_ssim < 1
    assert point.ms_ssim_db == pytest.approx(-10 * math.log10(1 - point.ms_ssim))
    assert math.isnan(point.ssimulacra2)  # Too small to have one.
    assert point.encode_seconds > 0
    assert point.decode_seconds > 0


def test_cache_measures_the_same_thing_once(tmp_path, make_image):
    x, codec = make_image(230, 250), Quantizer()
    first = Cache(tmp_path).measure(codec, 8, "a", x)
    second = Cache(tmp_path).measure(codec, 8, "b", x.copy())
    assert codec.calls == 1
    assert 0 < first.ssimulacra2 < 100
    assert second == dataclasses.replace(first, image="b")


def test_cache_keeps_an_infinite_psnr(tmp_path, make_image):
    x = make_image(16, 16)
    for _ in range(2):
        assert Cache(tmp_path).measure(Quantizer(), 1, "a", x).psnr == math.inf


def test_cache_measures_again_what_differs(tmp_path, make_image):
    x = make_image(16, 16)
    changed = x.copy()
    changed[0, 0, 0] ^= 1
    codec, newer = Quantizer(), Quantizer(version="2")
    cache = Cache(tmp_path)
    cache.measure(codec, 8, "a", x)
    cache.measure(codec, 4, "a", x)
    cache.measure(codec, 8, "a", changed)
    cache.measure(codec, 8, "a", x.reshape(8, 32, 3))
    cache.measure(newer, 8, "a", x)
    assert (codec.calls, newer.calls) == (4, 1)
