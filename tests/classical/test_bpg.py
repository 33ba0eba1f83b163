import contextlib
import dataclasses
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tf_imgcomp import metrics
from tf_imgcomp.classical import CODECS
from tf_imgcomp.classical.hevc import bpg_container, hevc_headers, nal_units
from tf_imgcomp.classical.hevc.byte_reader import ue7
from tf_imgcomp.classical.hevc.coding_tools import CodingTools
from tf_imgcomp.errors import ClassicalCodecError, ImageError

REFERENCE = Path(__file__).with_name("bpg_reference")
# CRC-32 of the pixels of each file by the reference decoder, bpgdec 0.9.8.
PIXELS = {
    "even_420_q30": 0x3EE0B8A7,
    "even_422_q32": 0x16EC6089,
    "even_444_q38": 0x4B4E092F,
    "gray_q34": 0x46BFD744,
    "odd_420_bt709_q34": 0xF4BF0888,
    "odd_420_jctvc_q36": 0xC3165FFF,
    "odd_420_q40": 0xB74C691C,
}
SIZE = slice(6, 10)  # Offsets of width and height; a length of 0 follows.
# Coding tools of bpgenc's x265, and of ours at other settings.
BPGENC_TOOLS = CodingTools(3, 3, 2, 3, 2, 1, None, 1, None)
each_reference = pytest.mark.parametrize("name", [*PIXELS, "odd_444_10bit_q34"])


def read(name):
    return (REFERENCE / f"{name}.bpg").read_bytes()


def with_bytes(data, **changes):
    """Returns a file with other bytes at offsets given as `_4=0x20`."""
    data = bytearray(data)
    for offset, value in changes.items():
        data[int(offset[1:])] = value
    return bytes(data)


@pytest.mark.parametrize("name", PIXELS)
def test_reference_files_decode_as_the_reference_decoder_does(name):
    assert zlib.crc32(CODECS["bpg"].decode(read(name)).tobytes()) == PIXELS[name]


def test_10_bits_are_read(photo):
    x_hat = CODECS["bpg"].decode(read("odd_444_10bit_q34"))
    assert metrics.psnr(photo, x_hat) > 32


def test_alpha_is_ignored_with_a_warning(photo):
    with pytest.warns(UserWarning, match="^BPG: alpha is ignored$"):
        x_hat = CODECS["bpg"].decode(read("rgba_q34"))
    assert metrics.psnr(photo[:192, :256], x_hat) > 30


def test_metadata_is_ignored_with_a_warning():
    data, extension = read("even_420_q30"), ue7(1) + ue7(4) + b"exif" + ue7(9) + ue7(0)
    head = with_bytes(data[:11], _5=0x08)
    data = head + ue7(len(extension)) + extension + data[11:]
    with pytest.warns(UserWarning, match="BPG: ") as caught:
        pixels = CODECS["bpg"].decode(data)
    notes = [str(warning.message) for warning in caught]
    assert notes == ["BPG: EXIF is ignored", "BPG: extension 9 is ignored"]
    assert zlib.crc32(pixels.tobytes()) == PIXELS["even_420_q30"]


@each_reference
def test_reference_files_are_written_again_byte_for_byte(name):
    data = read(name)
    # Except for the length, which bpgenc leaves open.
    length = ue7(len(data) - 11)
    assert bpg_container.parse(data).pack() == data[:10] + length + data[11:]


@pytest.mark.parametrize("name", ["even_420_q30", "even_444_q38"])
def test_coding_tools_of_the_reference_encoder(name):
    assert bpg_container.parse(read(name)).tools == BPGENC_TOOLS


@pytest.mark.parametrize(
    ("name", "reference"), [("bpg", "even_420_q30"), ("bpg444", "even_444_q38")]
)
def test_our_files_have_the_form_of_the_reference(name, reference, get_codec, photo):
    ours = bpg_container.parse(get_codec(name).encode(photo, 30))
    reference = bpg_container.parse(read(reference))
    assert ours.layout == reference.layout
    assert ours.tools == reference.tools
    picture_parameters, slice_ = map(nal_units.type_of, ours.nal_units)
    assert picture_parameters == nal_units.PPS
    assert slice_ in nal_units.IDR_SLICES


def test_our_encoder_is_as_good_as_the_reference_encoder(get_codec, photo):
    codec, reference = get_codec("bpg"), read("odd_420_q40")
    files = [codec.encode(photo, qp) for qp in (38, 37)]
    qualities = [metrics.psnr(photo, codec.decode(data)) for data in files]
    expected = np.interp(len(reference), list(map(len, files)), qualities)
    assert expected > metrics.psnr(photo, codec.decode(reference))


@pytest.mark.parametrize(
    "tools",
    [
        BPGENC_TOOLS,
        CodingTools(4, 1, 3, 2, 0, 0, (7, 7, 0, 2, 1), 0, 0b010110010),
    ],
)
@pytest.mark.parametrize("chroma", ["4:0:0", "4:2:0", "4:2:2", "4:4:4"])
def test_an_sps_is_read_as_it_was_written(tools, chroma):
    unit = hevc_headers.sps(tools, chroma, depth=8, height=208, width=304)
    assert hevc_headers.read_sps(unit) == tools


@pytest.mark.parametrize("shape", [(1, 1), (8, 40), (9, 9), (40, 8)])
def test_small_pictures_have_no_more_blocks_than_the_reader_expects(shape, photo):
    data = CODECS["bpg"].encode(photo[: shape[0], : shape[1]], 30)
    tools = bpg_container.parse(data).tools
    assert min(map(tools.coded_size, shape)) >= 16  # The smallest size that x265 codes.


@pytest.mark.parametrize("qp", [-1, 52, 30.5])
def test_a_wrong_qp_is_told(qp):
    with pytest.raises(ValueError, match=f"Expected a QP from 0 to 51, received {qp}"):
        CODECS["bpg"].encode(np.zeros((8, 8, 3), np.uint8), qp)


def test_our_file_cut_anywhere_is_refused(get_codec, photo):
    data = get_codec("bpg").encode(photo[:20, :20], 40)
    for length in range(len(data)):
        with pytest.raises(ClassicalCodecError, match="not a BPG file|cut short"):
            bpg_container.parse(data[:length])
    assert bpg_container.parse(data + b"trailing") == bpg_container.parse(data)


def test_a_reference_file_cut_in_its_head_is_refused():
    data = read("even_420_q30")
    for length in range(20):
        with pytest.raises(ClassicalCodecError, match="BPG|cut short"):
            bpg_container.parse(data[:length])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"_0": 0}, "not a BPG file"),
        ({"_4": 0xC0}, "pixel format 6 and 8 bits"),
        ({"_4": 0x26}, "pixel format 1 and 14 bits"),
        ({"_5": 0x01}, "BPG animations"),
        ({"_5": 0x04}, "in CMYK"),
        ({"_5": 0x10}, "colour space 1 are not supported, only Y'CbCr"),
        ({"_5": 0x20}, "colour space 2 are not supported, only Y'CbCr"),
        ({"_6": 0x80}, "an integer is too long"),
        ({"_12": 0x08}, "blocks larger than HEVC allows"),
        ({"_15": 0x42}, "contains a VPS or an SPS"),
        ({"_16": 0x09}, "Decod|decod|FFmpeg|PPS|picture"),
    ],
)
def test_unsupported_files_are_refused(changes, message):
    with pytest.raises(ClassicalCodecError, match=message):
        CODECS["bpg"].decode(with_bytes(read("even_420_q30"), **changes))


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=4))
def test_damage_is_one_type_of_error(changes):
    data = bytearray(read("even_444_q38")[:120])
    for offset, value in changes:
        data[offset % len(data)] = value
    with contextlib.suppress(ClassicalCodecError):
        file = bpg_container.parse(bytes(data))
        assert bpg_container.parse(file.pack()) == dataclasses.replace(file, notes=())


@pytest.mark.parametrize("size", [(0, 192), (256, 0)])
def test_no_pixels_are_refused(size):
    data = read("even_420_q30")
    data = data[:6] + ue7(size[0]) + ue7(size[1]) + data[10:]
    with pytest.raises(ClassicalCodecError, match="a BPG file without pixels"):
        bpg_container.parse(data)


def test_a_hostile_size_is_refused_before_decoding():
    data = read("even_420_q30")
    data = data[:6] + 2 * ue7(2**32 - 1) + data[10:]
    with pytest.raises(ImageError, match="GB of memory"):
        CODECS["bpg"].decode(data)


def test_a_stream_without_a_whole_picture_is_told(photo, tmp_path, monkeypatch):
    program = tmp_path / "ffmpeg"
    # One unit, a set of parameters.
    program.write_text(
        "#!/bin/sh\ncat >/dev/null\nprintf '\\0\\0\\001\\104\\001\\001'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    with pytest.raises(ClassicalCodecError, match="the encoder wrote no whole picture"):
        CODECS["bpg"].encode(photo, 34)
