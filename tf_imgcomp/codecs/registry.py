"""One table of all codecs."""

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.fdram import Fdram, FdramConfig

# Name in flagfiles: class and the dataclass of its sizes.
CODECS = {"fdram": (Fdram, FdramConfig)}


def new_codec(name: str, sizes: dict) -> Codec:
    """An untrained codec, built.

    Args:
        name: one of `CODECS`.
        sizes: fields of its config that are not default.

    Raises:
        ValueError: If there is no such codec.
    """
    if name not in CODECS:
        raise ValueError(f"Expected a codec of {sorted(CODECS)}, received {name!r}.")
    codec_class, config_class = CODECS[name]
    codec = codec_class(config_class.from_dict(sizes))
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    return codec
