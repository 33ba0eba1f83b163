"""H.266/VVC still pictures by vvenc, in a file that stores their size.

A VVC stream does not store the size before padding. So a file has a header of about 11
bytes before the stream:

    bytes 0-3    "VVC\\xfb"
    then         width, height, length of the stream (ue7, see `byte_reader`)
    then         H.266 stream (Annex B), to the end of the file

Planes are always 4:2:0 of 10 bits, BT.709, full range, chroma between the columns. The
picture is padded at the right and at the bottom to even sizes of at least 16.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from tf_imgcomp.classical import ffmpeg, raw_video, ycbcr
from tf_imgcomp.classical.hevc.byte_reader import ByteReader, ue7
from tf_imgcomp.classical.option_hash import option_hash
from tf_imgcomp.classical.ycbcr import Layout
from tf_imgcomp.errors import ClassicalCodecError

MAGIC = b"VVC\xfb"
QPS = range(64)
_LAYOUT = Layout("4:2:0", matrix="bt709", bits=10)  # The only one that vvenc accepts.
_PADDING = {"multiple": 2, "least": 16}  # Some pictures below 16 do not decode.
_START_CODES = (b"\0\0\1", b"\0\0\0\1")
_PARAMETERS = ":".join(
    (
        "IntraPeriod=1",
        "GOPSize=1",
        "DecodingRefreshType=idr",
        "Profile=main_10_still_picture",
        "AccessUnitDelimiter=0",
        "VuiParametersPresent=0",  # Reduces the headers from 190 to 65 bytes.
        "IntraQPOffset=0",  # The default codes with a QP 3 lower.
    )
)


@dataclasses.dataclass(frozen=True)
class VvcCodec:
    """VVC through FFmpeg, see `FileCodec`; a setting is a QP from 0 to 63.

    Attributes:
        name: Short name.
        title: Name for people.
        preset: vvenc's effort: "faster", "fast", "medium", "slow" or "slower".
        settings: QPs that span the usual rates.
        all_settings: All QPs, from the smallest file to the largest.
    """

    name: str
    title: str
    preset: str = "medium"
    settings: tuple[float, ...] = (42, 37, 32, 27, 22)
    all_settings: Sequence[float] = QPS[::-1]

    @property
    def version(self) -> str:
        options = option_hash(self._options(0), _LAYOUT, _PADDING)
        return f"FFmpeg {ffmpeg.version()}, libvvenc, options {options}"

    def available(self) -> str | None:
        return ffmpeg.missing("libvvenc")

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        if setting not in QPS:
            raise ValueError(f"Expected a QP from 0 to 63, received {setting}.")
        planes = ycbcr.from_rgb(raw_video.pad(pixels, **_PADDING), _LAYOUT)
        stream = raw_video.encode(planes, _LAYOUT, self._options(setting), "vvc")
        height, width = pixels.shape[:2]
        return MAGIC + ue7(width) + ue7(height) + ue7(len(stream)) + stream

    def size(self, data: bytes) -> tuple[int, int]:
        height, width, _ = _unpack(data)
        return height, width

    def decode(self, data: bytes) -> np.ndarray:
        height, width, stream = _unpack(data)
        rows, columns = (raw_video.padded(n, **_PADDING) for n in (height, width))
        planes = raw_video.decode(stream, _LAYOUT, rows, columns, "vvc")
        planes = raw_video.crop(planes, _LAYOUT, height, width)
        return ycbcr.to_rgb(planes, _LAYOUT)

    def _options(self, qp: float) -> list[str]:
        """Options of FFmpeg."""
        # Without adaptation to the eye (qpa), which costs PSNR.
        options = ["-c:v", "libvvenc", "-preset", self.preset, "-qp", f"{qp:g}"]
        return [*options, "-qpa", "0", "-vvenc-params", _PARAMETERS]


def _unpack(data: bytes) -> tuple[int, int, bytes]:
    """Returns height, width and stream of a file."""
    if not data.startswith(MAGIC):
        raise ClassicalCodecError("not a VVC file of this package")
    reader = ByteReader(data[len(MAGIC) :])
    width, height, length = reader.ue7(), reader.ue7(), reader.ue7()
    stream = reader.take(length)
    if not (width and height and stream.startswith(_START_CODES)) or len(reader):
        raise ClassicalCodecError("damaged VVC file")
    return height, width, stream
