"""Channel attention that looks at several frequencies of each channel."""

import numpy as np
import tensorflow as tf

from tf_imgcomp.layers.base import Block, register
from tf_imgcomp.ops import bases, resampling

FORMS = ("groups", "all")
POOLED = 7  # Side of the map that frequencies are taken of (FcaNet).


@register
class MultiFrequencyChannelAttention(Block):
    """Weights the channels by 16 of their frequencies, not by their means alone.

        x ─┬─► mean over cells, 7x7 ─► frequencies ─► c / 16 ─► c ─► sigmoid ─┐
           └──────────────────────────────────────────────────────────────► (*) ─►

    A frequency of a channel is the mean over the cells of their product with a cosine;
    the constant one is the channel's mean. Sides of up to 7 positions are taken as they
    are, not pooled; a frequency that they do not have counts as zero. Two forms:

        groups    each of 16 groups of channels has a frequency of its own (FcaNet)
        all       every channel has all 16; of its products with each, mean, maximum
                  and minimum over the cells, averaged over the frequencies (MADGNet)

    In a short controlled training (`benchmarks/attention.py --compare=frequencies`: 200
    steps, means over 3 seeds) four `PyramidConvolution`s gained 0.120 dB with either
    form and 0.123 dB with none, so that the codec has the cheaper one, "groups".

    **Extent.** Weights that are pooled over a whole map depend on the whole image. Then
    a tile decodes differently alone and within its image, weights suit the average of
    a large image, and a network trained on crops never saw such averages. So a map is
    divided into windows of `extent` positions from its top left corner on; the last
    ones end with the map. Every window has weights of its own, interpolated between
    the centres of windows. A crop within `extent` is one window, as published. In a
    larger map a position depends on the two nearest windows along each side, at most
    3/2 `extent` away. A part of a map that begins at multiples of `extent` has the
    windows of the whole. The padding to the codec's stride, at most 63 repeated pixels
    at two edges, counts as part of the image.

    Args:
        form: str, one of `FORMS`.
        extent: int, at least 14. Side of a window, in positions; that of a training
            crop is right.
        reduction: int. The hidden layer has `c / reduction` units.

    Shape:
        float `(b, h, w, c)` to the same.

    References:
        - Qin et al., "FcaNet: Frequency Channel Attention Networks", ICCV 2021,
          section 3.3, https://arxiv.org/abs/2012.11879
        - Nam et al., "Modality-agnostic Domain Generalizable Medical Image
          Segmentation by Multi-Frequency in Multi-Scale Attention", CVPR 2024,
          section 3.2
    """

    arguments = ("form", "extent", "reduction")

    def __init__(self, form: str, extent: int, reduction: int = 16, **kwargs):
        super().__init__(**kwargs)
        if form not in FORMS:
            raise ValueError(f"Expected a form of {FORMS}, received {form!r}.")
        if extent < 2 * POOLED:
            raise ValueError(
                f"Expected an extent of {2 * POOLED} or more, received {extent}."
            )
        self.form, self.extent, self.reduction = form, extent, reduction

    def build(self, shape):
        channels = shape[-1]
        hidden = max(1, channels // self.reduction)
        dtype = self.dtype_policy  # That of its making, not of the first call.
        self.hidden = tf.keras.layers.Dense(
            hidden, activation=tf.nn.leaky_relu, dtype=dtype
        )
        self.output_layer = tf.keras.layers.Dense(channels, dtype=dtype)
        # For each number of cells, (7 + 1, cells, frequencies).
        self._cosines = np.swapaxes(bases.dct2_up_to(POOLED), 1, 2).astype(np.float32)
        frequencies = bases.TOP_FREQUENCIES.astype(np.int32)  # Of rows and of columns.
        if self.form == "groups":
            count = frequencies.shape[1]
            frequencies = frequencies[:, np.arange(channels) * count // channels]
        self._frequencies = frequencies
        super().build(shape)

    def call(self, x):
        height, width = tf.shape(x)[1], tf.shape(x)[2]
        # A mean over a whole map needs more than 16 bits.
        cells = resampling.pool_windows(
            tf.cast(x, self.variable_dtype), self.extent, POOLED
        )
        statistics = tf.cast(self._statistics(cells, height, width), x.dtype)
        logits = tf.reduce_sum(self.output_layer(self.hidden(statistics)), axis=1)
        gates = tf.sigmoid(logits)
        return x * resampling.spread(gates, height, width, self.extent)

    def _statistics(self, cells, height, width):
        """Statistics `(b, s, n, m, c)` of cells, `(b, n, 7, m, 7, c)`."""
        rows, columns = (
            tf.minimum(resampling.window_sizes(size, self.extent), POOLED)
            for size in (height, width)
        )
        table = tf.cast(self._cosines, cells.dtype)
        down, across = (
            tf.gather(tf.gather(table, sides), chosen, axis=2)
            for sides, chosen in zip((rows, columns), self._frequencies)
        )
        cosines = down[:, :, None, None] * across  # (n, 7, m, 7, frequencies)
        count = tf.cast(rows[:, None] * columns, cells.dtype)[..., None]
        if self.form == "groups":
            return tf.reduce_sum(cells * cosines, [2, 4])[:, None] / count
        product = cells[:, None] * tf.transpose(cosines, [4, 0, 1, 2, 3])[..., None]
        inside = tf.sequence_mask(rows, POOLED)[:, :, None, None]
        inside = (inside & tf.sequence_mask(columns, POOLED))[..., None]
        statistics = [
            tf.reduce_sum(product, [3, 5]) / count,
            tf.reduce_max(tf.where(inside, product, -np.inf), [3, 5]),
            tf.reduce_min(tf.where(inside, product, np.inf), [3, 5]),
        ]
        return tf.stack([tf.reduce_mean(kind, 1) for kind in statistics], 1)
