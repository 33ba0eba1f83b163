"""A codec and a post-filter of 8 channels: small enough to test everything on."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.postfilter.registry import new_postfilter
from tf_imgcomp.training.weights import load_weights

WEIGHTS = Path(__file__).parent / "golden" / "tiny.npz"

_LAPPED = {
    "num_filters": 8,
    "deep_filters": 8,
    "analysis_modules": 1,
    "synthesis_modules": 1,
    "levels": 3,
    "feedback": (),
    "coder": {
        "slices": (4, 8, 12),
        "hyper_analysis": ((8, 1, 1), (8, 3, 2), (8, 3, 2)),
        "hyper_synthesis": ((6, 2), (8, 2)),
        "features": 8,
        "hidden": (8, 8),
        "embedding": 8,
    },
}
SIZES = {
    # As fdram was when the golden files were made.
    "fdram": {
        **_LAPPED,
        "lmbda_max": 0.18,
        "post_blocks": 0,
        "coder": {**_LAPPED["coder"], "optional_slice": False},
    },
    "mfca_pmcn": _LAPPED,
    "cheng2020": {
        "num_filters": (12, 16, 16, 24),
        "inner": None,
        "levels": 3,
        "feedback": (),
        "coder": {
            "hyper_analysis": ((8, 3, 2), (8, 3, 2)),
            "hyper_synthesis": ((8, 2), (8, 1), (12, 2)),
            "features": 8,
            "hidden": (12,),
        },
    },
}


def sizes(name: str = "fdram", **switches) -> dict:
    """`SIZES` of a codec, with switches of the latent coder."""
    return {**SIZES[name], "coder": {**SIZES[name]["coder"], **switches}}


def plain(name: str = "fdram") -> dict:
    """As few layers as there can be, where it matters how often they are compiled."""
    return {
        **sizes(name, slices=(24,)),
        "analysis_modules": 0,
        "synthesis_modules": 0,
    }


PLAIN = plain()


def random_codec(seed: int = 1, name: str = "fdram", **switches) -> Codec:
    """A codec with noise added to every initial weight."""
    return randomized(sizes(name, **switches), seed, name)


def randomized(sizes: dict, seed: int = 1, name: str = "fdram") -> Codec:
    """A codec of any sizes, with noise added to every initial weight."""
    tf.keras.utils.set_random_seed(seed)
    return shaken(new_codec(name, sizes), seed)


def shaken(model: tf.keras.Model, seed: int, scale: float = 0.03) -> tf.keras.Model:
    """The model, with noise added to every weight."""
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign_add(random.normal(scale=scale, size=variable.shape))
    return model


def golden_codec() -> Codec:
    """The codec of the golden files, as fdram's default was when they were made."""
    codec = random_codec(bits_per_error=10.0)
    load_weights(codec, WEIGHTS)
    return codec


FILTER_SIZES = {"blocks": 2, "filters": 8, "reduction": 4}


def untrained_filter() -> tf.keras.Model:
    tf.keras.utils.set_random_seed(1)
    return new_postfilter("xue2019", FILTER_SIZES)


def random_filter(seed: int = 1) -> tf.keras.Model:
    """A post-filter with noise added to every initial weight."""
    return shaken(untrained_filter(), seed, scale=0.1)
