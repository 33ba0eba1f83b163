import numpy as np
import pytest

from tf_imgcomp import metrics
from tf_imgcomp.classical.hevc.byte_reader import ue7
from tf_imgcomp.classical.vvc import MAGIC, VvcCodec
from tf_imgcomp.errors import ClassicalCodecError, ImageError


@pytest.fixture
def vvc(get_codec):
    return get_codec("vvc_fast")


@pytest.fixture
def file(vvc, photo):
    return vvc.encode(photo[:40, :50], 40)


def with_size(file, width, height):
    """Returns a VVC file of 50x40 pixels whose header has another size."""
    head = MAGIC + ue7(50) + ue7(40)
    assert file.startswith(head)
    return MAGIC + ue7(width) + ue7(height) + file[len(head) :]


@pytest.mark.parametrize("qp", [0, 63])
def test_extreme_qps(vvc, photo, qp):
    x = photo[:32, :32]
    x_hat = vvc.decode(vvc.encode(x, qp))
    assert (metrics.psnr(x, x_hat) > 45) == (qp == 0)


@pytest.mark.parametrize("qp", [-1, 64, 30.5])
def test_a_wrong_qp_is_told(qp):
    with pytest.raises(ValueError, match=f"Expected a QP from 0 to 63, received {qp}"):
        VvcCodec("vvc", "VVC").encode(np.zeros((8, 8, 3), np.uint8), qp)


@pytest.mark.slow
def test_a_slower_preset_is_better(vvc, photo):
    def cost(preset):
        codec = VvcCodec("vvc", "VVC", preset)
        data = codec.encode(photo, 32)
        return len(data) * 1.122 ** (-metrics.psnr(photo, codec.decode(data)))

    assert cost("medium") < cost("faster")


def test_an_unknown_preset_is_told(vvc, photo):
    with pytest.raises(ClassicalCodecError, match="FFmpeg: .*'warp'"):
        VvcCodec("vvc", "VVC", "warp").encode(photo[:16, :16], 32)


def test_the_head_is_small(file):
    start = file.index(b"\0\0\1")
    assert start <= 10
    assert len(file) - start < 900


def test_a_file_cut_anywhere_or_too_long_is_refused(vvc, file):
    for data in [*(file[:length] for length in range(len(file))), file + b"\0"]:
        with pytest.raises(ClassicalCodecError, match="not a VVC|cut short|damaged"):
            vvc.decode(data)


@pytest.mark.parametrize("size", [(0, 40), (50, 0)])
def test_no_pixels_are_refused(vvc, file, size):
    with pytest.raises(ClassicalCodecError, match="damaged VVC file"):
        vvc.decode(with_size(file, *size))


@pytest.mark.parametrize("size", [(52, 40), (50, 20), (1, 1)])
def test_a_size_that_is_not_the_streams_is_refused(vvc, file, size):
    with pytest.raises(ClassicalCodecError, match="picture of another size than"):
        vvc.decode(with_size(file, *size))


def test_a_hostile_size_is_refused_before_decoding(vvc, file):
    with pytest.raises(ImageError, match="GB of memory"):
        vvc.decode(with_size(file, 2**32 - 1, 2**32 - 1))


def test_a_stream_larger_than_its_head_says_is_not_decoded(vvc, photo):
    large = vvc.encode(np.zeros((400, 600, 3), np.uint8), 63)
    stream = large[large.index(b"\0\0\1") - 1 :]
    data = MAGIC + ue7(16) + ue7(16) + ue7(len(stream)) + stream
    with pytest.raises(ClassicalCodecError, match="exceeds specified max pixel count"):
        vvc.decode(data)


def test_a_foreign_stream_is_refused(vvc):
    stream = b"\0\0\0\1" + b"foreign" * 20
    data = MAGIC + ue7(16) + ue7(16) + ue7(len(stream)) + stream
    with pytest.raises(ClassicalCodecError, match="^FFmpeg: "):
        vvc.decode(data)
