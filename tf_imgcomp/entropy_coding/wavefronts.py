"""Raster order in files: positions that do not see each other are coded at once."""

from typing import Callable

import tensorflow as tf

from tf_imgcomp.entropy.passes import OrderedSliceNetworks
from tf_imgcomp.ops import raster


def code_in_wavefronts(
    networks: OrderedSliceNetworks,
    known: tf.Tensor,
    depth: int,
    coder,
    code: Callable,
) -> tuple:
    """Codes the positions of a slice, wavefront after wavefront.

    Args:
        networks: of the slice.
        known: float32 `(b, h, w, m)`. Features of z and of earlier slices.
        depth: int. Channels c of the slice.
        coder: a log of symbols or a reader.
        code: function of the coder, the numbers of n positions, int32 `(n,)`, counted
            in raster order, and their mixture parameters `(b, n, p)`; codes or decodes
            those latents and returns the coder and the latents, `(b, n, c)`.

    Returns:
        The coder, and all latents, float32 `(b, h, w, c)`.
    """
    batch, height, width, _ = tf.unstack(tf.shape(known))
    order, sizes = raster.wavefronts(height, width)
    ends = tf.cumsum(sizes)
    flat = tf.reshape(known, [batch, -1, known.shape[-1]])
    y_hat = tf.zeros([batch * height * width, depth])
    starts = tf.range(batch)[:, None] * height * width
    # Embedded latents of the positions decoded so far.
    seen = raster.pad(tf.zeros([batch, height, width, networks.embedding_depth]))

    def visit(number, coder, y_hat, seen):
        positions = order[ends[number] - sizes[number] : ends[number]]
        rows, columns = positions // width, positions % width
        around = networks.context_at(raster.neighbours(seen, rows, columns))
        features = tf.concat([tf.gather(flat, positions, axis=1), around], axis=-1)
        coder, decoded = code(coder, positions, networks.parameters(features))
        seen = raster.update(seen, rows, columns, networks.embed(decoded))
        y_hat = tf.tensor_scatter_nd_update(
            y_hat, (starts + positions)[..., None], decoded
        )
        return number + 1, coder, y_hat, seen

    _, coder, y_hat, _ = tf.while_loop(
        lambda number, *_: number < tf.size(sizes), visit, (0, coder, y_hat, seen)
    )
    return coder, tf.reshape(y_hat, [batch, height, width, depth])
