"""The table of all codecs."""

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.cheng2020 import Cheng2020
from tf_imgcomp.codecs.fdram import Fdram
from tf_imgcomp.codecs.mfca_pmcn import MfcaPmcn
from tf_imgcomp.configured_model import config_of

# Classes by their names in flagfiles and cards.
CODECS: dict[str, type[Codec]] = {
    "cheng2020": Cheng2020,
    "fdram": Fdram,
    "mfca_pmcn": MfcaPmcn,
}


def new_codec(name: str, sizes: dict) -> Codec:
    """An untrained codec, built.

    Args:
        name: one of `CODECS`.
        sizes: fields of its config that are not default.

    Raises:
        ModelError: If there is no such codec, or it has no such sizes.
    """
    config = config_of(CODECS, "codec", name, sizes)
    codec = CODECS[name](config)
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    return codec
