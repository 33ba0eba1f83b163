"""HEVC's coding tools: the fields of an SPS that a BPG file stores.

An SPS and the header of a BPG file hold the same fields in groups; each group has a
function that reads it and a method that writes it.
"""

from __future__ import annotations

import dataclasses

from tf_imgcomp.classical.hevc.bits import BitReader, BitWriter
from tf_imgcomp.errors import ClassicalCodecError

_MAX_LOG2_BLOCK = 6


@dataclasses.dataclass(frozen=True)
class CodingTools:
    """The fields of an SPS that an encoder is free to choose in a BPG file.

    Attributes:
        log2_min_coding: Smallest luma coding block, log2 of its side, 3 to 6.
        log2_diff_coding: Largest by smallest coding block, log2 of the ratio.
        log2_min_transform: Smallest transform block, log2 of its side, 2 to 5.
        log2_diff_transform: Largest by smallest transform block, log2 of the ratio.
        transform_depth: Maximum depth of the tree of intra transforms.
        sao: Whether sample adaptive offset is on.
        pcm: PCM's two bit depths minus 1, two block sizes and loop filter flag, or
            None.
        strong_smoothing: Whether strong intra smoothing is on.
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
    """Reads the block sizes, the first four fields of `CodingTools`."""
    coding, diff_coding = bits.get_ue() + 3, bits.get_ue()
    transform, diff_transform = bits.get_ue() + 2, bits.get_ue()
    if max(coding + diff_coding, transform + diff_transform) > _MAX_LOG2_BLOCK:
        raise ClassicalCodecError("damaged: blocks larger than HEVC allows")
    return coding, diff_coding, transform, diff_transform


def read_pcm(bits: BitReader) -> tuple[int, int, int, int, int] | None:
    if not bits.get():
        return None
    return bits.get(4), bits.get(4), bits.get_ue(), bits.get_ue(), bits.get()


def read_extension(bits: BitReader) -> int | None:
    if not bits.get():
        return None
    range_extension, unknown = bits.get(), bits.get(7)
    if unknown:
        raise ClassicalCodecError("an unknown HEVC extension")
    return bits.get(9) if range_extension else None
