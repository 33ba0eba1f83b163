"""What an HEVC encoder chooses in a BPG file: the fields of an SPS that the file keeps.

An SPS and the head of a BPG file hold the same fields in groups; each group has a
function that reads it and a method that writes it.
"""

from __future__ import annotations

import dataclasses

from tf_imgcomp.classical.bits import BitReader, BitWriter
from tf_imgcomp.errors import ClassicalCodecError

_MAX_LOG2_BLOCK = 6


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
    if max(coding + diff_coding, transform + diff_transform) > _MAX_LOG2_BLOCK:
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
