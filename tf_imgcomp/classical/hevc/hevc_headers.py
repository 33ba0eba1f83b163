"""HEVC headers that a BPG file leaves out (ITU-T H.265, 7.3).

A still picture has a VPS, an SPS, a PPS and slices. BPG stores the PPS and the slices
unchanged, and the fields of the SPS in `CodingTools`. Everything else in VPS and SPS
follows from the file's header.
"""

from __future__ import annotations

from tf_imgcomp.classical.hevc import coding_tools, nal_units
from tf_imgcomp.classical.hevc.bits import BitReader, BitWriter
from tf_imgcomp.classical.hevc.coding_tools import CodingTools
from tf_imgcomp.errors import ClassicalCodecError

_CHROMA_IDS = {"4:0:0": 0, "4:2:0": 1, "4:2:2": 2, "4:4:4": 3}
_RANGE_EXTENSIONS_PROFILE = 4  # Has all chroma formats and depths.
_LEVEL_8_5 = 255  # Any size.
_EXTENDED_SAR = 255


def vps() -> bytes:
    """Returns the VPS, which is the same for all still pictures."""
    bits = _start(nal_units.VPS)
    bits.put(4, 0)  # Its number.
    bits.put(2, 3)  # The base layer is here and available.
    bits.put(6, 0)  # One layer.
    bits.put(3, 0)  # One sub-layer.
    bits.put(1, 1)  # Temporal nesting.
    bits.put(16, 0xFFFF)
    _put_profile(bits)
    bits.put(1, 1)
    for _ in range(3):  # Pictures buffered minus 1, reordered, latency.
        bits.put_ue(0)
    bits.put(6, 0)
    bits.put_ue(0)  # One layer set.
    bits.put(2, 0)  # No timing, no extension.
    return _finish(bits)


def sps(tools: CodingTools, chroma: str, depth: int, height: int, width: int) -> bytes:
    """Returns the SPS of a still picture.

    Args:
        tools: Coding tools of the stream.
        chroma: Chroma sampling, such as "4:2:0".
        depth: Bits per sample.
        height: Height in luma samples, a multiple of the smallest coding block.
        width: Width in luma samples, likewise.
    """
    bits = _start(nal_units.SPS)
    bits.put(4, 0)  # Number of its VPS.
    bits.put(3, 0)
    bits.put(1, 1)
    _put_profile(bits)
    bits.put_ue(0)  # Its number.
    bits.put_ue(_CHROMA_IDS[chroma])
    if chroma == "4:4:4":
        bits.put(1, 0)  # No separate planes.
    bits.put_ue(width)
    bits.put_ue(height)
    bits.put(1, 0)  # No window: the decoder crops.
    bits.put_ue(depth - 8)
    bits.put_ue(depth - 8)
    bits.put_ue(4)  # Length of picture order counts, which IDR slices do not have.
    bits.put(1, 1)
    for _ in range(3):  # Pictures buffered minus 1, reordered, latency.
        bits.put_ue(0)
    tools.write_blocks(bits)
    bits.put_ue(tools.transform_depth)  # Inter.
    bits.put_ue(tools.transform_depth)
    bits.put(2, 0b01)  # No scaling lists, asymmetric partitions.
    bits.put(1, tools.sao)
    tools.write_pcm(bits)
    bits.put_ue(0)  # No reference pictures.
    bits.put(2, 0b01)  # No long-term ones; temporal motion vectors.
    bits.put(1, tools.strong_smoothing)
    bits.put(1, 0)  # No VUI.
    tools.write_extension(bits)
    return _finish(bits)


def read_sps(unit: bytes) -> CodingTools:
    """Returns the coding tools in an SPS as x265 writes them.

    Raises:
        ClassicalCodecError: If it is damaged, or has fields that BPG cannot store.
    """
    bits = BitReader(nal_units.unescape(unit))
    bits.get(16 + 4)
    _expect(bits.get(3) == 0)  # No sub-layers.
    bits.get(1 + 88 + 8)  # Profile and level.
    bits.get_ue()
    if bits.get_ue() == _CHROMA_IDS["4:4:4"]:
        bits.get()
    _skip(bits, 2)  # Width and height.
    _expect(not bits.get())  # No window.
    _skip(bits, 3)  # Depths, length of picture order counts.
    bits.get()
    _skip(bits, 3)  # Pictures buffered minus 1, reordered, latency.
    blocks = coding_tools.read_blocks(bits)
    bits.get_ue()
    transform_depth = bits.get_ue()
    _expect(not bits.get())  # No scaling lists.
    bits.get()
    sao, pcm = bits.get(), coding_tools.read_pcm(bits)
    _expect(bits.get_ue() == 0)  # No reference pictures.
    bits.get(2)
    strong_smoothing = bits.get()
    if bits.get():
        _skip_vui(bits)
    extension = coding_tools.read_extension(bits)
    return CodingTools(*blocks, transform_depth, sao, pcm, strong_smoothing, extension)


def _expect(condition: bool) -> None:
    if not condition:
        raise ClassicalCodecError("the encoder's HEVC headers do not fit into BPG")


def _skip(bits: BitReader, count: int) -> None:
    """Skips Exp-Golomb integers."""
    for _ in range(count):
        bits.get_ue()


def _skip_vui(bits: BitReader) -> None:
    """Skips video usability information (E.2.1), which BPG does not store."""
    if bits.get() and bits.get(8) == _EXTENDED_SAR:
        bits.get(32)
    if bits.get():  # Overscan.
        bits.get()
    if bits.get():  # Type of the signal, and its colours.
        bits.get(4)
        if bits.get():
            bits.get(24)
    if bits.get():  # Position of chroma.
        _skip(bits, 2)
    bits.get(3)
    if bits.get():  # Window.
        _skip(bits, 4)
    if bits.get():  # Timing.
        bits.get(64)
        if bits.get():
            _skip(bits, 1)
        _expect(not bits.get())  # No buffer model.
    if bits.get():  # Restrictions.
        bits.get(3)
        _skip(bits, 5)


def _start(type_: int) -> BitWriter:
    bits = BitWriter()
    bits.put(16, type_ << 9 | 1)  # Layer 0, temporal layer 0.
    return bits


def _put_profile(bits: BitWriter) -> None:
    profile = _RANGE_EXTENSIONS_PROFILE
    bits.put(8, profile)  # Main tier.
    bits.put(32, 1 << (31 - profile))  # Compatible with itself.
    bits.put(4, 0b1001)  # Progressive, whole frames.
    bits.put(44, 0)
    bits.put(8, _LEVEL_8_5)


def _finish(bits: BitWriter) -> bytes:
    bits.put(1, 1)  # Then zeros up to the next byte.
    return nal_units.escape(bits.to_bytes())
