"""BPG: an HEVC still picture by x265 in a small container.

    pixels ──► planes ──► x265 ──► stream ──► PPS, slices, bits of the SPS ──► file
    pixels ◄── planes ◄── FFmpeg ◄── stream ◄── VPS and SPS rebuilt ◄── file

Options are those of bpgenc 0.9.8, the reference encoder: full-range BT.601 of 8 bits,
x265's preset veryslow, tuned for SSIM. Files of bpgenc decode to the same pixels
as with bpgdec.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence

import numpy as np

from tf_imgcomp.classical import ffmpeg, raw_video, ycbcr
from tf_imgcomp.classical.hevc import bpg_container, hevc_headers, nal_units
from tf_imgcomp.classical.hevc.bpg_container import BpgFile
from tf_imgcomp.classical.option_hash import option_hash
from tf_imgcomp.classical.ycbcr import Layout
from tf_imgcomp.errors import ClassicalCodecError

QPS = range(52)
_LEAST = 16  # x265 needs sides of 16 or more.
# Up to 8 pixels, blocks must be 16: the decoder pads to whole blocks.
_SMALL = 8
_PARAMETERS = ":".join(
    (
        *("psy-rd=0", "psy-rdoq=0", "aq-mode=0", "cutree=0", "ipratio=1"),
        *("keyint=1", "open-gop=0", "wpp=0"),
        *("info=0", "hrd=0", "aud=0", "repeat-headers=1", "annexb=1"),
        "log-level=none",
    )
)


@dataclasses.dataclass(frozen=True)
class BpgCodec:
    """BPG through FFmpeg, see `FileCodec`; a setting is a QP from 0 to 51.

    Decoding ignores alpha and metadata, with a `UserWarning`.

    Attributes:
        name: Short name.
        title: Name for people.
        chroma: "4:2:0" or "4:4:4".
        settings: QPs that span the usual rates.
        all_settings: All QPs, from the smallest file to the largest.
    """

    name: str
    title: str
    chroma: str
    settings: tuple[float, ...] = (43, 40, 37, 34, 31, 28, 25, 22)
    all_settings: Sequence[float] = QPS[::-1]

    @property
    def version(self) -> str:
        options = option_hash(_options(0, 8), self.chroma, _LEAST, _SMALL)
        return f"FFmpeg {ffmpeg.version()}, libx265, options {options}"

    def available(self) -> str | None:
        return ffmpeg.missing("libx265")

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        if setting not in QPS:
            raise ValueError(f"Expected a QP from 0 to 51, received {setting}.")
        height, width = pixels.shape[:2]
        block = 16 if min(height, width) <= _SMALL else 8
        layout = Layout(self.chroma)
        planes = ycbcr.from_rgb(raw_video.pad(pixels, block, _LEAST), layout)
        stream = raw_video.encode(planes, layout, _options(setting, block), "hevc")
        return _to_file(stream, layout, height, width).pack()

    def size(self, data: bytes) -> tuple[int, int]:
        file = bpg_container.parse(data)
        return file.height, file.width

    def decode(self, data: bytes) -> np.ndarray:
        file = bpg_container.parse(data)
        for note in file.notes:
            warnings.warn(f"BPG: {note}", stacklevel=2)
        tools, layout = file.tools, file.layout
        size = tools.coded_size(file.height), tools.coded_size(file.width)
        sps = hevc_headers.sps(tools, layout.chroma, layout.bits, *size)
        stream = nal_units.join((hevc_headers.vps(), sps, *file.nal_units))
        planes = raw_video.decode(stream, layout, *size, "hevc")
        planes = raw_video.crop(planes, layout, file.height, file.width)
        return ycbcr.to_rgb(planes, layout)


def _options(qp: float, block: int) -> list[str]:
    """Options of FFmpeg, for coding blocks of at least `block` pixels."""
    parameters = f"qp={qp:g}:min-cu-size={block}:{_PARAMETERS}"
    encoder = ["-c:v", "libx265", "-preset", "veryslow", "-tune", "ssim"]
    return [*encoder, "-x265-params", parameters]


def _to_file(stream: bytes, layout: Layout, height: int, width: int) -> BpgFile:
    """Returns a BPG file with the picture of an x265 stream."""
    tools, units = None, []
    for unit in nal_units.split(stream):
        type_ = nal_units.type_of(unit)
        if type_ == nal_units.SPS:
            tools = hevc_headers.read_sps(unit)
        elif type_ == nal_units.PPS or type_ < nal_units.FIRST_NO_SLICE:
            units.append(unit)
    if tools is None or len(units) < 2:
        raise ClassicalCodecError("the encoder wrote no whole picture")
    return BpgFile(height, width, layout, tools, tuple(units))
