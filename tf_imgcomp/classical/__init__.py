"""Classical image codecs to compare with, behind one small interface.

Every codec has a `name`, a `title`, a `version`, its usual `settings`, and
`available`, `encode` and `decode`. `CODECS` is the one table of them.
"""

from tf_imgcomp.classical.pillow import CODECS, PillowCodec

__all__ = ["CODECS", "PillowCodec"]
