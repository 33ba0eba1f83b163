"""The latents of tiles from their strings.

Tiles of one size with about as many streams share the loop over symbols.
"""

from collections.abc import Sequence
from typing import Callable

import tensorflow as tf

from tf_imgcomp.entropy_coding.integer_coder import DecodedPart, IntegerCoder
from tf_imgcomp.entropy_coding.shared_streams import SharedStrings
from tf_imgcomp.image_codecs.tiles import Z_STRIDE
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.serving import tile_parts
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.placement import CPU

_PART = tf.TensorSpec([None], tf.string)
# For each class of tiles but the first, the smallest number of streams. Tiles of one
# class share a loop. A step takes all of their streams, and the tile with the longest
# ones decides how many steps there are.
_CLASSES = (4, 16, 64, 256, 1024)


class TileDecoder:
    """Decodes tiles, each of which has its own error.

    Args:
        coder: in standard operations.
    """

    def __init__(self, coder: IntegerCoder):
        self._coder = coder
        # Optimized once, for all uses in all signatures.
        self._of_parts = {
            count: graph_function(
                self._decode,
                [
                    [_PART] * count,
                    tf.TensorSpec([2], tf.int32),
                    tf.TensorSpec([None], tf.int64),
                ],
                experimental_attributes={"_noinline": True},
            )
            for count in (1, 2)
        }

    def padded(self, parts, sizes, hundredths, together: int, most: tf.Tensor) -> tuple:
        """The latents of b tiles, padded with zeros to one size.

        Args:
            parts, sizes, hundredths, together: see `for_each_group`.
            most: int32 `(2,)`, rows h and columns w.

        Returns:
            Latents, float32 `(b, h, w, c)`, and errors, string `(b,)`.
        """
        config = self._coder.config
        depth = config.latent_depth if len(parts) > 1 else config.slices[0]

        def pad(_, y_hat, errors):
            missing = most - tf.shape(y_hat)[1:3]
            paddings = [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]
            return tf.pad(y_hat, paddings), errors

        outputs = tf.TensorSpec([None, None, depth]), tf.TensorSpec([], tf.string)
        return self.for_each_group(parts, sizes, hundredths, together, pad, outputs)

    def for_each_group(
        self,
        parts: Sequence[tf.Tensor],
        sizes: tf.Tensor,
        hundredths: tf.Tensor,
        together: int,
        use: Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tuple],
        outputs: Sequence[tf.TensorSpec],
    ) -> tuple:
        """Decodes b tiles, and uses those of a group before the next group.

        Args:
            parts: strings `(b,)`, the bytes of the tiles in the first part of a file,
                and in the second. Without the second, only the first slice is decoded.
            sizes: int32 `(b, 2)`, rows and columns of latents, multiples of 4.
            hundredths: qualities, int64 `(b,)`.
            together: how many tiles may share a loop.
            use: function of the numbers of g tiles of one size, int32 `(g,)`; their
                latents, float32 `(g, h, w, c)`, zero where there is an error; and
                errors, string `(g,)`, "" without one. Returns tensors, batch first.
            outputs: these tensors for one tile.

        Returns:
            The same tensors for all tiles.
        """
        with tf.device(CPU):
            most = self._coder.streams_max(*tf.unstack(sizes, axis=1))
            order, ends = _groups(sizes, [_counts(x, most) for x in parts], together)

        def group(number, start, *arrays):
            tiles = order[start : ends[number]]
            y_hat, errors = self._of_parts[len(parts)](
                [tf.gather(part, tiles) for part in parts],
                sizes[tiles[0]],
                tf.gather(hundredths, tiles),
            )
            used = use(tiles, y_hat, errors)
            arrays = [array.write(number, x) for array, x in zip(arrays, used)]
            return number + 1, ends[number], *arrays

        count = tf.size(ends)
        arrays = [
            tf.TensorArray(x.dtype, count, element_shape=[None, *x.shape])
            for x in outputs
        ]
        _, _, *arrays = tf.while_loop(
            lambda number, *_: number < count,
            group,
            (0, 0, *arrays),
            parallel_iterations=1,
        )
        places = tf.math.invert_permutation(order)
        return tuple(tf.gather(array.concat(), places) for array in arrays)

    def _decode(self, parts: Sequence[tf.Tensor], size, hundredths) -> tuple:
        """The latents of tiles of one size `(2,)`, and errors."""
        conditions, (first, *others) = Conditions(), parts
        most = self._coder.streams_max(*tf.unstack(size))
        with tf.device(CPU):
            checksums, streams = _unpacked(first, most, conditions)
            psi, decoded = self._coder.decode_first(
                streams, *tf.unstack(size // Z_STRIDE), hundredths
            )
            _require_match(decoded, checksums, conditions)
            for rest in others:
                checksums, streams = _unpacked(rest, most, conditions)
                decoded = self._coder.decode_rest(
                    streams, psi, decoded.y_hat, hundredths
                )
                _require_match(decoded, checksums, conditions)
        hold = conditions.hold[:, None, None, None]
        return tf.where(hold, decoded.y_hat, 0), conditions.error


def _groups(sizes: tf.Tensor, counts: Sequence[tf.Tensor], together: int) -> tuple:
    """The order in which tiles that are alike follow one another, and ends of groups.

    Args:
        sizes: of b tiles, int32 `(b, 2)`.
        counts: of the streams in each part, int32 `(b,)`.
        together: how many tiles a group may have.

    Returns:
        Numbers of tiles, int32 `(b,)`; and for each group the place after its last
        tile, int32 `(g,)`.
    """
    rows, columns = tf.unstack(sizes, axis=1)
    key = rows * (tf.reduce_max(columns) + 1) + columns
    for count in counts:
        of_class = tf.searchsorted(tf.constant(_CLASSES), count, side="right")
        key = key * (len(_CLASSES) + 1) + of_class
    order = tf.argsort(key, stable=True)
    key = tf.gather(key, order)
    # How many tiles of the same key come before.
    before = tf.range(tf.size(key)) - tf.searchsorted(key, key)
    is_last = tf.concat([tf.not_equal(key[1:], key[:-1]), [True]], axis=0)
    is_last = is_last[: tf.size(key)] | tf.equal((before + 1) % together, 0)
    return order, tf.cast(tf.where(is_last)[:, 0] + 1, tf.int32)


def _counts(data: tf.Tensor, most: tf.Tensor) -> tf.Tensor:
    """How many streams parts of tiles `(b,)` have, up to `most`: both int32 `(b,)`."""
    return tf.map_fn(
        lambda element: tile_parts.stream_count(*element),
        (tf.strings.substr(data, 0, tile_parts.HEAD_SIZE_MAX), most),
        fn_output_signature=tf.int32,
    )


def _unpacked(data: tf.Tensor, most: tf.Tensor, conditions: Conditions) -> tuple:
    """Checksums int32 `(b,)` and `SharedStrings` from parts of tiles `(b,)`."""

    def unpack(data):
        of_tile = Conditions()
        checksum, strings = tile_parts.unpack(data, most, of_tile)
        count = tf.size(strings)
        strings = tf.pad(strings, [[0, most - count]])
        return checksum, strings, count, of_tile.error

    checksums, strings, counts, errors = tf.map_fn(
        unpack,
        data,
        fn_output_signature=(
            *(tf.int32, tf.TensorSpec([None], tf.string)),
            *(tf.int32, tf.string),
        ),
    )
    conditions.require(tf.equal(errors, ""), errors)
    return checksums, SharedStrings(strings, counts)


def _require_match(decoded: DecodedPart, checksums, conditions: Conditions) -> None:
    conditions.require(decoded.valid_string_count, "a tile's streams do not decode")
    conditions.require(
        tf.equal(decoded.checksum, checksums),
        "decoded to other latents than were encoded",
    )
