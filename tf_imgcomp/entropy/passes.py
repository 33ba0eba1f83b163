"""The order in which latents are coded, written once for training and for files."""

from collections.abc import Sequence
from typing import Callable, Protocol

import tensorflow as tf

from tf_imgcomp.ops import checkerboard

CONTEXTS = ("none", "checkerboard")


class SliceNetworks(Protocol):
    """What predicts one slice of channels.

    Attributes:
        features: channels f of what `context_prediction` says.
    """

    features: int

    def embed(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Decoded latents of the slice to what others see of them."""

    def channel_context(self, embedded: tf.Tensor) -> tf.Tensor:
        """Features at every position, from the embedded slices before this one."""

    def context_prediction(self, embedded: tf.Tensor) -> tf.Tensor:
        """Features at the other positions, from this slice's embedded anchors."""

    def parameters(self, features: tf.Tensor) -> tf.Tensor:
        """Mixture parameters at the positions of a pass, from all that is known."""


def run_passes(
    context: str, slices: Sequence[SliceNetworks], psi: tf.Tensor, code: Callable
) -> tf.Tensor:
    """Visits all latents, each pass knowing what the passes before it decoded.

    Slices of channels follow one another (Minnen and Singh 2020, section 3.1; He et
    al. 2022, "ELIC", section 3.2); within a slice

        context none            one pass over all positions
        context checkerboard    anchors first; the others know the anchors too

    Args:
        context: str, one of `CONTEXTS`.
        slices: the networks of each slice.
        psi: `(b, h, w, n)`. What is known of every position before the first pass.
        code: function of the slice's number, the colour (0 or 1) and the parameters at
            its positions; codes or decodes those latents and returns them,
            `(b, ..., c)`.

    Returns:
        All latents, `(b, h, w, c)`.
    """
    latents, embedded = [], []
    for number, networks in enumerate(slices):
        known = [psi]
        if embedded:
            known.append(networks.channel_context(tf.concat(embedded, axis=-1)))
        decoded, seen = [], []
        for colour, said in enumerate(split(context, tf.concat(known, axis=-1))):
            if context != "none":
                if colour:
                    anchors = merge(context, [seen[0], tf.zeros_like(seen[0])])
                    around = networks.context_prediction(anchors)
                else:
                    shape = tf.concat([tf.shape(said)[:-1], [networks.features]], 0)
                    around = tf.zeros(shape, said.dtype)
                said = tf.concat([said, around], axis=-1)
            decoded.append(code(number, colour, networks.parameters(said)))
            seen.append(networks.embed(decoded[-1]))
        latents.append(merge(context, decoded))
        embedded.append(merge(context, seen))
    return tf.concat(latents, axis=-1)


def by_pass(context: str, sizes: Sequence[int], x: tf.Tensor) -> dict:
    """A map `(b, h, w, c)` by slice of channels and colour, as passes visit it.

    Args:
        context: str, one of `CONTEXTS`.
        sizes: channels of each slice.
        x: the map.

    Returns:
        dict of `(number, colour)` to that part of x, `(b, ..., sizes[number])`.
    """
    return {
        (number, colour): part
        for number, channels in enumerate(tf.split(x, sizes, axis=-1))
        for colour, part in enumerate(split(context, channels))
    }


def split(context: str, x: tf.Tensor) -> list:
    """A map `(b, h, w, c)` as the positions of each pass of a slice."""
    return [x] if context == "none" else list(checkerboard.split(x))


def merge(context: str, parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The inverse of `split`."""
    return parts[0] if context == "none" else checkerboard.merge(*parts)
