"""One table of all codecs."""

from dataclasses import asdict

import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.cheng2020 import Cheng2020, Cheng2020Config
from tf_imgcomp.codecs.fdram import Fdram, FdramConfig
from tf_imgcomp.codecs.mfca_pmcn import MfcaPmcn, MfcaPmcnConfig
from tf_imgcomp.errors import ModelError

# Name in flagfiles: class and the dataclass of its sizes.
CODECS = {
    "cheng2020": (Cheng2020, Cheng2020Config),
    "fdram": (Fdram, FdramConfig),
    "mfca_pmcn": (MfcaPmcn, MfcaPmcnConfig),
}


def new_codec(name: str, sizes: dict) -> Codec:
    """An untrained codec, built.

    Args:
        name: one of `CODECS`.
        sizes: fields of its config that are not default.

    Raises:
        ModelError: If there is no such codec, or it has no such sizes.
    """
    config = _config(name, sizes)
    codec = CODECS[name][0](config)
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    return codec


def all_sizes(name: str, sizes: dict) -> dict:
    """All fields of a codec's config, for a model card: defaults may change.

    Args:
        name: one of `CODECS`.
        sizes: fields that are not default.

    Raises:
        ModelError: If there is no such codec, or it has no such sizes.
    """
    return asdict(_config(name, sizes))


def _config(name: str, sizes: dict):
    if name not in CODECS:
        raise ModelError(f"no codec {name!r}; there are: {', '.join(CODECS)}")
    try:
        return CODECS[name][1].from_dict(sizes)
    except TypeError as error:
        raise ModelError(f"sizes {sizes} are not those of {name}: {error}") from error
