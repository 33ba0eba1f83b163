"""How far a pixel looks: which latents around it the synthesis needs."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tf_imgcomp.codecs.base import Codec
from tf_imgcomp.entropy.latent_coder import LatentCoder
from tf_imgcomp.layers.precision import computing_in

# Latents. Around a region, so many more would be most of a tile. Attention over windows
# of 16 latents has at least this reach.
_TOO_FAR = 24
_CHANGED = 32  # The row that is changed, the first of a window.
_ROWS, _COLUMNS = 2 * _CHANGED + LatentCoder.STRIDE, LatentCoder.STRIDE


def synthesis_reach(codec: Codec) -> int | None:
    """Latents around a position that its pixels depend on; None: too many.

    Measured: a row of random latents is changed, and the pixels that change are those
    that see it. In float64, because the farthest latents change a pixel by less than
    the rounding of float32.

    Args:
        codec: built, with trained weights.
    """
    rng, depth = np.random.default_rng(0), codec.config.coder.latent_depth
    y_hat = np.rint(rng.normal(0, 4, (1, _ROWS, _COLUMNS, depth)))
    y_hat = np.concatenate([y_hat, y_hat])
    y_hat[1, _CHANGED] = np.rint(rng.normal(0, 4, (_COLUMNS, depth)))
    first, second = _synthesis_in_float64(codec, tf.constant(y_hat)).numpy()
    differ = (first != second).reshape(_ROWS, -1).any(axis=1)
    reach = int(np.abs(np.flatnonzero(differ) - _CHANGED).max())
    return reach if reach < _TOO_FAR else None


def _synthesis_in_float64(codec: Codec, y_hat: tf.Tensor) -> tf.Tensor:
    quality = tf.constant([50.0, 50.0], tf.float64)
    with computing_in("float64"):
        copy = type(codec).from_config({**codec.get_config(), "dtype": "float64"})
        copy.synthesis(y_hat, quality)  # Makes its weights.
    copy.inverse_gain.set_weights(codec.inverse_gain.get_weights())
    copy.synthesis_transform.set_weights(codec.synthesis_transform.get_weights())
    return copy.synthesis(y_hat, quality)
