import pytest

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS

each_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


@each_codec
def test_a_higher_setting_gives_a_larger_and_better_file(codec, make_image):
    x = make_image(64, 96)
    files = [codec.encode(x, setting) for setting in codec.settings[::6]]
    qualities = [metrics.psnr(x, codec.decode(data)) for data in files]
    assert len(files[0]) < len(files[1])
    assert qualities[0] < qualities[1]


@each_codec
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (17, 2)])
def test_any_size_comes_back(codec, shape, make_image):
    x = make_image(*shape)
    x_hat = codec.decode(codec.encode(x, codec.settings[-1]))
    assert (x_hat.shape, x_hat.dtype) == (x.shape, x.dtype)


@each_codec
def test_a_foreign_file_is_refused(codec):
    with pytest.raises(OSError, match="cannot identify image file"):
        codec.decode(b"not an image")


@each_codec
def test_the_same_input_gives_the_same_file(codec, make_image):
    x = make_image(40, 40)
    setting = codec.settings[3]
    assert codec.encode(x, setting) == codec.encode(x, setting)


def test_jpeg2000_hits_the_rate_asked_for(make_image):
    x = make_image(256, 256)
    data = CODECS["jpeg2000"].encode(x, setting=0.5)
    assert metrics.bpp(len(data), 256, 256) == pytest.approx(0.5, rel=0.05)


def test_a_missing_library_is_named(monkeypatch):
    assert CODECS["avif"].available() is None
    monkeypatch.setattr("PIL.features.check", lambda feature: False)
    assert "built without avif support" in CODECS["avif"].available()
