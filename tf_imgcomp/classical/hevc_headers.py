"""Headers of HEVC streams (ITU-T H.265, 7.3): those that a BPG file leaves out.

    Annex B stream = start code, NAL unit, start code, NAL unit, ...

A still picture has a VPS, an SPS, a PPS and slices. BPG stores PPS and slices as they are
and of the SPS only the fields of `CodingTools`; everything else in VPS and SPS follows from
the head of the file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from tf_imgcomp.classical.bits import BitReader, BitWriter
from tf_imgcomp.errors import ClassicalCodecError

START_CODE = b"\0\0\1"
VPS, SPS, PPS = 32, 33, 34  # Types of NAL units, table 7-1.
IDR_SLICES = (19, 20)
FIRST_NO_SLICE = 32

_CHROMA_IDS = {"4:0:0": 0, "4:2:0": 1, "4:2:2": 2, "4:4:4": 3}
_RANGE_EXTENSIONS_PROFILE = 4  # Has all chroma formats and depths.
_LEVEL_8_5 = 255  # Any size.
_EXTENDED_SAR = 255


@dataclasses.dataclass(frozen=True)
class CodingTools:
    """The fields of an SPS that an encoder is free to choose in a BPG file.

    Attributes:
        log2_min_coding: Of the smallest luma coding block, 3 to 6.
        log2_diff_coding: Of the largest by the smallest coding block.
        log2_min_transform: Of the smallest transform block, 2 to 5.
        log2_diff_transform: Of the largest by the smallest transform block.
        transform_depth: Depth of the tree of intra transforms.
        sao: Whether there is sample adaptive offset.
        pcm: Both depths minus 1, the two logarithms and the flag of PCM, or None.
        strong_smoothing: Whether there is strong intra smoothing.
        range_extension: The 9 flags of the range extension, or None.
    """

    log2_min_coding: int
    log2_diff_coding: int
    log2_min_transform: int
    log2_diff_transform: int
    transform_depth: int
    sao: int
    pcm: tuple[int, int, int, int, int] | None
    strong_smoothing: int
    range_extension: int | None

    def coded_size(self, size: int) -> int:
        """Returns a height or width rounded up to whole coding blocks."""
        return -(-size >> self.log2_min_coding) << self.log2_min_coding

    def write_blocks(self, bits: BitWriter) -> None:
        bits.put_ue(self.log2_min_coding - 3)
        bits.put_ue(self.log2_diff_coding)
        bits.put_ue(self.log2_min_transform - 2)
        bits.put_ue(self.log2_diff_transform)

    def write_pcm(self, bits: BitWriter) -> None:
        bits.put(1, self.pcm is not None)
        if self.pcm is not None:
            bits.put(4, self.pcm[0])
            bits.put(4, self.pcm[1])
            bits.put_ue(self.pcm[2])
            bits.put_ue(self.pcm[3])
            bits.put(1, self.pcm[4])

    def write_extension(self, bits: BitWriter) -> None:
        bits.put(1, self.range_extension is not None)
        if self.range_extension is not None:
            bits.put(8, 0b10000000)
            bits.put(9, self.range_extension)


def read_blocks(bits: BitReader) -> tuple[int, int, int, int]:
    """Reads the sizes of blocks: the first four of `CodingTools`."""
    coding, diff_coding = bits.get_ue() + 3, bits.get_ue()
    transform, diff_transform = bits.get_ue() + 2, bits.get_ue()
    if max(coding + diff_coding, transform + diff_transform) > 6:
        raise ClassicalCodecError("damaged: blocks larger than HEVC has")
    return coding, diff_coding, transform, diff_transform


def read_pcm(bits: BitReader) -> tuple[int, int, int, int, int] | None:
    if not bits.get():
        return None
    return bits.get(4), bits.get(4), bits.get_ue(), bits.get_ue(), bits.get()


def read_extension(bits: BitReader) -> int | None:
    if not bits.get():
        return None
    range_extension, others = bits.get(), bits.get(7)
    if others:
        raise ClassicalCodecError("an HEVC extension that is not known here")
    return bits.get(9) if range_extension else None


def split_nal_units(stream: bytes) -> list[bytes]:
    """Returns the NAL units between start codes; bytes before the first are lost."""
    # A NAL unit never ends in a zero, which may stand in front of a start code.
    return [unit.rstrip(b"\0") for unit in stream.split(START_CODE)[1:]]


def join_nal_units(units: Iterable[bytes]) -> bytes:
    """Returns an Annex B stream."""
    return b"".join(b"\0" + START_CODE + unit for unit in units)


def nal_type(unit: bytes) -> int:
    return unit[0] >> 1 & 63


def nal_layer(unit: bytes) -> int:
    return (unit[0] & 1) << 5 | unit[1] >> 3


def vps() -> bytes:
    """Returns the VPS of a still picture, the same for all."""
    bits = _start(VPS)
    bits.put(4, 0)  # Its number.
    bits.put(2, 3)  # The base layer is here and available.
    bits.put(6, 0)  # One layer,
    bits.put(3, 0)  # one sub-layer,
    bits.put(1, 1)  # so nesting.
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
        tools: What the encoder chose.
        chroma: Chroma sampling, as "4:2:0".
        depth: Bits of a sample.
        height: Height of the picture in luma samples, of whole coding blocks.
        width: Width of the same.
    """
    bits = _start(SPS)
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
    bits.put(1, 0)  # No window: who reads the file crops.
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
    bits.put_ue(0)  # No reference pictures,
    bits.put(2, 0b01)  # nor long-term ones; temporal motion vectors.
    bits.put(1, tools.strong_smoothing)
    bits.put(1, 0)  # No VUI.
    tools.write_extension(bits)
    return _finish(bits)


def read_sps(unit: bytes) -> CodingTools:
    """Returns the coding tools in an SPS as x265 writes them.

    Raises:
        ClassicalCodecError: If it is damaged, or has what BPG cannot hold.
    """
    # Bytes of 3 after two zeros only keep start codes out of the data.
    bits = BitReader(re.sub(rb"\x00\x00\x03", b"\0\0", unit))
    bits.get(16 + 4)
    sub_layers = bits.get(3)
    bits.get(1 + 88 + 8)  # Profile and level.
    bits.get_ue()
    if bits.get_ue() == _CHROMA_IDS["4:4:4"]:
        bits.get()
    bits.get_ue()
    bits.get_ue()
    window = bits.get()
    bits.get_ue()
    bits.get_ue()
    bits.get_ue()
    bits.get()
    for _ in range(3):
        bits.get_ue()
    blocks = read_blocks(bits)
    bits.get_ue()
    transform_depth = bits.get_ue()
    scaling_lists, _ = bits.get(), bits.get()
    sao, pcm = bits.get(), read_pcm(bits)
    references = bits.get_ue()
    bits.get(2)
    strong_smoothing = bits.get()
    if sub_layers or window or scaling_lists or references:
        raise ClassicalCodecError("the encoder's HEVC headers do not fit into BPG")
    if bits.get():
        _skip_vui(bits)
    extension = read_extension(bits)
    return CodingTools(*blocks, transform_depth, sao, pcm, strong_smoothing, extension)


def _skip_vui(bits: BitReader) -> None:
    """Reads over video usability information, which is nothing to BPG (E.2.1)."""
    if bits.get() and bits.get(8) == _EXTENDED_SAR:
        bits.get(32)
    if bits.get():  # Overscan.
        bits.get()
    if bits.get():  # Type of the signal, and its colours.
        bits.get(4)
        if bits.get():
            bits.get(24)
    if bits.get():  # Position of chroma.
        bits.get_ue()
        bits.get_ue()
    bits.get(3)
    if bits.get():  # Window.
        for _ in range(4):
            bits.get_ue()
    if bits.get():  # Timing.
        bits.get(64)
        if bits.get():
            bits.get_ue()
        if bits.get():
            raise ClassicalCodecError("the encoder's HEVC headers do not fit into BPG")
    if bits.get():  # Restrictions.
        bits.get(3)
        for _ in range(5):
            bits.get_ue()


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
    """Returns the NAL unit, without anything like a start code inside."""
    bits.put(1, 1)
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", bits.to_bytes())
