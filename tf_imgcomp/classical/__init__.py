"""Classical image codecs to compare with and to improve on, behind one interface."""

from tf_imgcomp.classical.interface import FileCodec
from tf_imgcomp.classical.registry import CODECS

__all__ = ["CODECS", "FileCodec"]
