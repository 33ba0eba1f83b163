"""A codec of 8 channels with golden weights: small enough to test everything on."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.fdram import Fdram, FdramConfig
from tf_imgcomp.training.weights import load_weights

WEIGHTS = Path(__file__).parent / "golden" / "tiny.npz"


SIZES = {
    "num_filters": 8,
    "deep_filters": 8,
    "analysis_modules": 1,
    "synthesis_modules": 1,
    "levels": 3,
    "coder": {
        "slices": (4, 8, 12),
        "hyper_depth": 8,
        "features": 8,
        "hidden": 8,
        "embedding": 8,
    },
}


def config(**switches) -> FdramConfig:
    """`SIZES` with switches of the latent coder."""
    return FdramConfig.from_dict({**SIZES, "coder": {**SIZES["coder"], **switches}})


def random_codec(seed: int = 1, **switches) -> Fdram:
    """A codec whose every weight is away from its start."""
    tf.keras.utils.set_random_seed(seed)
    codec = Fdram(config(**switches))
    codec(tf.zeros((1, 64, 64, 3)), tf.constant([50.0]))
    random = np.random.default_rng(seed)
    for variable in codec.trainable_variables:
        noise = random.normal(scale=0.03, size=variable.shape)
        variable.assign_add(noise.astype(np.float32))
    return codec


def golden_codec() -> Fdram:
    codec = random_codec()
    load_weights(codec, WEIGHTS)
    return codec
