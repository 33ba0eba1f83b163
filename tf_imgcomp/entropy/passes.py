"""The order in which latents are coded, for training and for files."""

from collections.abc import Sequence
from functools import partial
from typing import Callable, Protocol

import tensorflow as tf

from tf_imgcomp.ops import checkerboard, quads

CONTEXTS = ("none", "checkerboard", "quads", "raster")


class SliceNetworks(Protocol):
    """The networks that predict one slice of channels.

    Attributes:
        features: channels of `context_prediction`.
    """

    features: int

    def embed(self, y_hat: tf.Tensor) -> tf.Tensor:
        """Embeds decoded latents of the slice, for contexts."""

    def channel_context(self, embedded: tf.Tensor) -> tf.Tensor:
        """Features at every position, from the embedded slices before this one."""

    def context_prediction(self, decoded: Sequence[tf.Tensor]) -> tf.Tensor:
        """Features of the positions of the next pass, from those decoded.

        Args:
            decoded: the embedded latents of the slice, by pass. In raster order one
                map of all; each position sees those before it.
        """

    def parameters(self, features: tf.Tensor) -> tf.Tensor:
        """Mixture parameters at the positions of a pass, from all features."""


class OrderedSliceNetworks(SliceNetworks, Protocol):
    """The networks of a slice in raster order, see `wavefronts`.

    Attributes:
        embedding_depth: channels of `embed`.
    """

    embedding_depth: int

    def context_at(self, taps: tf.Tensor) -> tf.Tensor:
        """Features as of `context_prediction`, at n positions only.

        Args:
            taps: `(1, n, 12 * embedding_depth)`. The embedded neighbours of each, see
                `ops.raster.neighbours`.
        """


class Coding(Protocol):
    """Codes or decodes the latents of each pass."""

    def code_optional(self, shape: tf.Tensor, run: Callable) -> tf.Tensor:
        """Codes or decodes the optional slice, or leaves it out.

        Args:
            shape: int32 `(3,)`. b, h, w.
            run: function without arguments that runs the passes of the slice, by the
                methods below, and returns its latents and their embeddings.

        Returns:
            The latents as decoded, `(b, h, w, c)`; zero where it is left out.
        """

    def code(self, number: int, pass_index: int, raw: tf.Tensor) -> tf.Tensor:
        """Codes or decodes the latents of a pass.

        Args:
            number: of the slice.
            pass_index: of the pass in the slice, from 0 on.
            raw: `(b, h, w, p)`. The outputs of `SliceNetworks.parameters`.

        Returns:
            The latents as decoded, `(b, h, w, c)`.
        """

    def code_in_order(
        self, number: int, networks: SliceNetworks, known: tf.Tensor
    ) -> tf.Tensor:
        """The same for a slice in raster order.

        Args:
            number: of the slice.
            networks: of the slice.
            known: `(b, h, w, m)`. Features of z and of earlier slices.

        Returns:
            The latents as decoded, `(b, h, w, c)`.
        """


def run_passes(
    context: str,
    slices: Sequence[SliceNetworks],
    psi: tf.Tensor,
    coding: Coding,
    optional_slice: bool = False,
    decoded: Sequence[tf.Tensor] = (),
) -> tf.Tensor:
    """Codes all latents; each pass sees those that earlier passes decoded.

    Slices of channels follow one another (Minnen and Singh 2020, section 3.1; He et
    al. 2022, "ELIC", section 3.2); within a slice

        context none            one pass over all positions
        context checkerboard    anchors first; the others see the anchors too
        context quads           the four positions of each 2x2 square in turn
        context raster          each position sees those before it, see `ops.raster`

    Args:
        context: str, one of `CONTEXTS`.
        slices: the networks of each slice.
        psi: `(b, h, w, n)`. Features of every position from the hyperprior.
        coding: codes or decodes the latents of each pass.
        optional_slice: whether an image may do without the last slice.
        decoded: latents of the first slices, if these are coded already.

    Returns:
        All latents, `(b, h, w, c)`, those decoded before included.
    """
    latents = list(decoded)
    embedded = [networks.embed(y_hat) for networks, y_hat in zip(slices, decoded)]
    for number in range(len(decoded), len(slices)):
        networks = slices[number]
        run = partial(_run_slice, context, number, networks, psi, embedded, coding)
        if optional_slice and number == len(slices) - 1:
            y_hat = coding.code_optional(tf.shape(psi)[:3], run)
        else:
            y_hat, seen = run()
            embedded.append(seen)
        latents.append(y_hat)
    return tf.concat(latents, axis=-1)


def _run_slice(context, number, networks, psi, embedded, coding) -> tuple:
    """The passes of a slice; returns its latents and their embeddings."""
    known = [psi]
    if embedded:
        known.append(networks.channel_context(tf.concat(embedded, axis=-1)))
    known = tf.concat(known, axis=-1)
    if context == "raster":
        decoded = [coding.code_in_order(number, networks, known)]
        seen = [networks.embed(decoded[0])]
    else:
        decoded, seen = _run_passes_of_slice(context, number, networks, known, coding)
    return merge(context, decoded), merge(context, seen)


def _run_passes_of_slice(context, number, networks, known, coding) -> tuple:
    """Codes a slice; returns its latents and their embeddings, by pass."""
    decoded, seen = [], []
    for pass_index, features in enumerate(split(context, known)):
        if context != "none":
            if seen:
                around = networks.context_prediction(seen)
            else:
                shape = tf.concat([tf.shape(features)[:-1], [networks.features]], 0)
                around = tf.zeros(shape, features.dtype)
            features = tf.concat([features, around], axis=-1)
        decoded.append(coding.code(number, pass_index, networks.parameters(features)))
        seen.append(networks.embed(decoded[-1]))
    return decoded, seen


def parameters_around(
    networks: SliceNetworks, known: tf.Tensor, embedded: tf.Tensor
) -> tf.Tensor:
    """Mixture parameters of all positions at once, as in raster order.

    Args:
        networks: of the slice.
        known: `(b, h, w, m)`. Features of z and of earlier slices.
        embedded: `(b, h, w, n)`, all latents of the slice. Each position sees only
            those before it.
    """
    around = networks.context_prediction([embedded])
    return networks.parameters(tf.concat([known, around], axis=-1))


def by_pass(context: str, sizes: Sequence[int], x: tf.Tensor) -> dict:
    """A map `(b, h, w, c)` by slice of channels and by pass.

    Args:
        context: str, one of `CONTEXTS`.
        sizes: channels of each slice.
        x: the map.

    Returns:
        dict of `(number, pass_index)` to that part of x, `(b, ..., sizes[number])`.
    """
    return {
        (number, pass_index): part
        for number, channels in enumerate(tf.split(x, sizes, axis=-1))
        for pass_index, part in enumerate(split(context, channels))
    }


def split(context: str, x: tf.Tensor) -> list:
    """A map `(b, h, w, c)` as the positions of each pass of a slice."""
    if context == "checkerboard":
        return list(checkerboard.split(x))
    return list(quads.split(x)) if context == "quads" else [x]


def merge(context: str, parts: Sequence[tf.Tensor]) -> tf.Tensor:
    """The inverse of `split`."""
    if context == "checkerboard":
        return checkerboard.merge(*parts)
    return quads.merge(parts) if context == "quads" else parts[0]
