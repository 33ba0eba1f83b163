"""Properties of every classical codec."""

import dataclasses

import numpy as np
import pytest

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.errors import ClassicalCodecError


@pytest.mark.slow
def test_a_higher_setting_gives_a_larger_and_better_file(codec, photo):
    x = photo[:128, :128]
    files = [codec.encode(x, setting) for setting in codec.settings]
    sizes = [len(data) for data in files]
    assert sizes == sorted(set(sizes))
    first, middle, last = (
        metrics.psnr(x, codec.decode(files[i])) for i in (0, len(files) // 2, -1)
    )
    assert first < middle < last
    assert 34 < last < 50


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (17, 33), (64, 48), (3, 100)])
def test_any_size_comes_back(codec, shape, photo):
    x = photo[: shape[0], : shape[1]]
    x_hat = codec.decode(codec.encode(x, codec.settings[-1]))
    assert (x_hat.shape, x_hat.dtype) == (x.shape, x.dtype)
    assert metrics.psnr(x, x_hat) > 23


@pytest.mark.parametrize("level", [0, 100, 255])
def test_grey_stays_grey(codec, level):
    x = np.full((24, 32, 3), level, np.uint8)
    x_hat = codec.decode(codec.encode(x, codec.settings[-1]))
    assert np.ptp(x_hat.astype(int), axis=-1).max() <= 1
    assert np.abs(x_hat.astype(int) - level).max() <= 1


@pytest.mark.parametrize("data", [b"", b"not an image", bytes(1000)])
def test_a_foreign_file_is_refused(codec, data):
    with pytest.raises(ClassicalCodecError, match="^not a"):
        codec.decode(data)


@pytest.mark.parametrize("kept", [0.05, 0.5])
def test_a_cut_file_is_refused(codec, kept, photo):
    data = codec.encode(photo[:64, :64], codec.settings[0])
    with pytest.raises(ClassicalCodecError) as caught:
        codec.decode(data[: int(kept * len(data))])
    assert "\n" not in str(caught.value)


def test_the_same_input_gives_the_same_file(codec, photo):
    x, setting = photo[:40, :40], codec.settings[3]
    assert codec.encode(x, setting) == codec.encode(x, setting)


def test_pixels_may_lie_anyhow_in_memory(codec, photo):
    x, setting = photo[:48:2, 60:0:-2], codec.settings[-1]
    assert codec.encode(x, setting) == codec.encode(x.copy(), setting)


def test_names_and_versions(codec):
    assert CODECS[codec.name] is codec
    assert codec.title
    assert any(character.isdigit() for character in codec.version)


OTHER_OPTIONS = {
    "jpeg": {"options": lambda quality: {"quality": int(quality)}},
    "bpg": {"chroma": "4:4:4"},
    "vvc": {"preset": "slow"},
}


@pytest.mark.parametrize("name", OTHER_OPTIONS)
def test_the_version_tells_other_options_and_not_other_settings(get_codec, name):
    codec = get_codec(name)
    assert dataclasses.replace(codec, settings=(30,)).version == codec.version
    other = dataclasses.replace(codec, **OTHER_OPTIONS[name])
    assert other.version != codec.version
