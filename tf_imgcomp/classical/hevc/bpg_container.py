"""The bytes of BPG files (BPG specification 0.9.5 by Fabrice Bellard).

bytes 0-3   "BPG\\xfb"
byte 4      pixel format (3 bits), alpha 1, depth - 8 (4 bits)
byte 5      colour space (4 bits), extension, alpha 2, limited range, animation
then        width, height, length of the rest or 0 for all to the end (ue7)
then        if the extension bit is set: its length and bytes (metadata)
then        length and bits of the HEVC header, of alpha first if there is alpha
then        NAL units with start codes between them: PPS and slices
"""

from __future__ import annotations

import dataclasses

from tf_imgcomp.classical.hevc import coding_tools, nal_units
from tf_imgcomp.classical.hevc.bits import BitReader, BitWriter
from tf_imgcomp.classical.hevc.byte_reader import ByteReader, ue7
from tf_imgcomp.classical.hevc.coding_tools import CodingTools
from tf_imgcomp.classical.ycbcr import Layout
from tf_imgcomp.errors import ClassicalCodecError

MAGIC = b"BPG\xfb"
# By pixel format: chroma sampling, and whether chroma lies at the left as in video.
_PIXEL_FORMATS = (
    *(("4:0:0", False), ("4:2:0", False), ("4:2:2", False), ("4:4:4", False)),
    *(("4:2:0", True), ("4:2:2", True)),
)
_MATRICES = {0: "bt601", 3: "bt709", 4: "bt2020"}  # 1 is RGB, 2 YCgCo, 5 reserved.
_MAX_DEPTH = 12
_TAGS = {1: "EXIF", 2: "ICC profile", 3: "XMP", 4: "thumbnail"}


@dataclasses.dataclass(frozen=True)
class BpgFile:
    """A still picture of a BPG file.

    Attributes:
        height: Height in pixels.
        width: Width in pixels.
        layout: How its planes hold colours.
        tools: Coding tools of its SPS.
        nal_units: Its PPS and slices.
        notes: Messages for the user about parts of the file that were ignored.
    """

    height: int
    width: int
    layout: Layout
    tools: CodingTools
    nal_units: tuple[bytes, ...]
    notes: tuple[str, ...] = ()

    def pack(self) -> bytes:
        """Returns the bytes of the file; notes are not written."""
        layout = self.layout
        pixel_format = _PIXEL_FORMATS.index((layout.chroma, layout.left))
        colour_space = {name: key for key, name in _MATRICES.items()}[layout.matrix]
        header = _pack_tools(self.tools)
        body = ue7(len(header)) + header + nal_units.START_CODE.join(self.nal_units)
        return b"".join(
            (
                MAGIC,
                bytes([pixel_format << 5 | layout.bits - 8]),
                bytes([colour_space << 4 | layout.limited << 1]),
                *map(ue7, (self.width, self.height, len(body))),
                body,
            )
        )


def parse(data: bytes) -> BpgFile:
    """Returns the still picture of a BPG file.

    bpgenc leaves the length open, so its files can be truncated unnoticed.

    Raises:
        ClassicalCodecError: If it is damaged, not a BPG file, or not supported: an
            animation, CMYK, RGB, YCgCo, or more than 12 bits.
    """
    if not data.startswith(MAGIC):
        raise ClassicalCodecError("not a BPG file")
    reader = ByteReader(data[len(MAGIC) :])
    kind, flags = reader.take(2)
    layout = _layout(kind, flags)
    alpha = bool(kind & 0x10)
    width, height, length = reader.ue7(), reader.ue7(), reader.ue7()
    if not (width and height):
        raise ClassicalCodecError("damaged: a BPG file without pixels")
    notes = ["alpha is ignored"] if alpha else []
    if flags & 0x08:
        notes += _notes(ByteReader(reader.take(reader.ue7())))
    body = ByteReader(reader.take(length or len(reader)))
    if alpha:
        body.take(body.ue7())
    tools = _parse_tools(body.take(body.ue7()))
    units = _colour_units(body.take(len(body)))
    return BpgFile(height, width, layout, tools, units, tuple(notes))


def _layout(kind: int, flags: int) -> Layout:
    """Returns the layout that bytes 4 and 5 describe."""
    pixel_format, depth, colour_space = kind >> 5, 8 + (kind & 15), flags >> 4
    if flags & 0x01:
        raise ClassicalCodecError("BPG animations are not supported")
    if flags & 0x04 and not kind & 0x10:
        raise ClassicalCodecError("BPG files in CMYK are not supported")
    if pixel_format >= len(_PIXEL_FORMATS) or depth > _MAX_DEPTH:
        raise ClassicalCodecError(
            f"BPG files of pixel format {pixel_format} and {depth} bits are not "
            "supported"
        )
    chroma, left = _PIXEL_FORMATS[pixel_format]
    if colour_space not in _MATRICES and chroma != "4:0:0":
        raise ClassicalCodecError(
            f"BPG files of colour space {colour_space} are not supported, only Y'CbCr"
        )
    matrix = _MATRICES.get(colour_space, "bt601")
    return Layout(chroma, matrix, depth, bool(flags & 0x02), left)


def _notes(extension: ByteReader) -> list[str]:
    notes = []
    while len(extension):
        tag = extension.ue7()
        extension.take(extension.ue7())
        notes.append(f"{_TAGS.get(tag, f'extension {tag}')} is ignored")
    return notes


def _pack_tools(tools: CodingTools) -> bytes:
    bits = BitWriter()
    tools.write_blocks(bits)
    bits.put_ue(tools.transform_depth)
    bits.put(1, tools.sao)
    tools.write_pcm(bits)
    bits.put(1, tools.strong_smoothing)
    tools.write_extension(bits)
    return bits.to_bytes()


def _parse_tools(header: bytes) -> CodingTools:
    bits = BitReader(header)
    return CodingTools(
        *coding_tools.read_blocks(bits),
        transform_depth=bits.get_ue(),
        sao=bits.get(),
        pcm=coding_tools.read_pcm(bits),
        strong_smoothing=bits.get(),
        range_extension=coding_tools.read_extension(bits),
    )


def _colour_units(data: bytes) -> tuple[bytes, ...]:
    """Returns PPS and slices without those of alpha, which are in layer 1."""
    units = nal_units.split(nal_units.START_CODE + data)
    if any(len(unit) < 3 for unit in units):
        raise ClassicalCodecError("damaged: a NAL unit of a BPG file is cut short")
    units = [unit for unit in units if nal_units.layer_of(unit) == 0]
    types = {nal_units.type_of(unit) for unit in units}
    if types & {nal_units.VPS, nal_units.SPS}:
        raise ClassicalCodecError("damaged: a BPG file that contains a VPS or an SPS")
    if not types & set(nal_units.IDR_SLICES):
        raise ClassicalCodecError("damaged: a BPG file without a picture")
    return tuple(units)
