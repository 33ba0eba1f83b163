"""The classical codecs that evaluation compares with.

Those inside `.tfci` files are `image_codecs.classical.CLASSICAL_CODECS`.
"""

from __future__ import annotations

from tf_imgcomp.classical import pillow
from tf_imgcomp.classical.bpg import BpgCodec
from tf_imgcomp.classical.interface import ClassicalCodec
from tf_imgcomp.classical.vvc import VvcCodec

CODECS: dict[str, ClassicalCodec] = {
    codec.name: codec
    for codec in (
        *pillow.CODECS,
        BpgCodec("bpg", "BPG 4:2:0", chroma="4:2:0"),
        BpgCodec("bpg444", "BPG 4:4:4", chroma="4:4:4"),
        VvcCodec("vvc", "VVC 4:2:0 (vvenc medium)"),
        VvcCodec("vvc_fast", "VVC 4:2:0 (vvenc fast)", preset="fast"),
    )
}
