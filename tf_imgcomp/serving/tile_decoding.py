"""The latents of tiles from their strings; tiles of one size share the loop."""

from collections.abc import Sequence
from functools import partial

import tensorflow as tf

from tf_imgcomp.entropy_coding.integer_coder import DecodedPart, IntegerCoder
from tf_imgcomp.entropy_coding.shared_streams import SharedStrings
from tf_imgcomp.image_codecs.tiles import Z_STRIDE
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.serving import tile_parts
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.placement import CPU

_PART = tf.TensorSpec([None], tf.string)
_SIZES = tf.TensorSpec([None, 2], tf.int32)
_HUNDREDTHS = tf.TensorSpec([None], tf.int64)
_TOGETHER = tf.TensorSpec([], tf.int32)
# Optimized once, for all uses in all signatures.
_shared = partial(graph_function, experimental_attributes={"_noinline": True})


class TileDecoder:
    """Decodes tiles, each of which has its own error.

    Args:
        coder: in standard operations.
    """

    def __init__(self, coder: IntegerCoder):
        self._coder = coder
        common = [_SIZES, _HUNDREDTHS, _TOGETHER]
        self._both = _shared(
            lambda first, rest, *others: self._decode([first, rest], *others),
            [_PART, _PART, *common],
        )
        self._first = _shared(
            lambda first, *others: self._decode([first], *others), [_PART, *common]
        )

    def __call__(
        self,
        parts: Sequence[tf.Tensor],
        sizes: tf.Tensor,
        hundredths: tf.Tensor,
        together: int,
    ) -> tuple:
        """Decodes b tiles, at least one.

        Args:
            parts: strings `(b,)`, the bytes of the tiles in the first part of a file,
                and in the second. Without these, only the first slice is decoded.
            sizes: int32 `(b, 2)`, rows and columns of latents, multiples of 4.
            hundredths: qualities, int64 `(b,)`.
            together: how many tiles may share a loop.

        Returns:
            Latents, float32 `(b, h, w, c)`, padded with zeros to one shape and zero
            where there is an error; and errors, string `(b,)`, "" without one.
        """
        decode = self._both if len(parts) > 1 else self._first
        return decode(*parts, sizes, hundredths, tf.constant(together))

    def _decode(self, parts, sizes, hundredths, together) -> tuple:
        config = self._coder.config
        depth = config.latent_depth if len(parts) > 1 else config.slices[0]
        order, ends = _groups(sizes, together)
        most = tf.reduce_max(sizes, axis=0)

        def decode(number, start, y_hat, errors):
            end = ends[number]
            group = order[start:end]
            found, error = self._decode_group(
                [tf.gather(part, group) for part in parts],
                sizes[group[0]],
                tf.gather(hundredths, group),
            )
            missing = most - sizes[group[0]]
            paddings = [[0, 0], [0, missing[0]], [0, missing[1]], [0, 0]]
            y_hat = y_hat.write(number, tf.pad(found, paddings))
            return number + 1, end, y_hat, errors.write(number, error)

        count = tf.size(ends)
        latents = tf.TensorArray(
            tf.float32, count, element_shape=[None, None, None, depth]
        )
        messages = tf.TensorArray(tf.string, count, element_shape=[None])
        *_, latents, messages = tf.while_loop(
            lambda number, *_: number < count,
            decode,
            (0, 0, latents, messages),
            parallel_iterations=1,
        )
        places = tf.math.invert_permutation(order)
        return tf.gather(latents.concat(), places), tf.gather(messages.concat(), places)

    def _decode_group(self, parts, size, hundredths) -> tuple:
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


def _groups(sizes: tf.Tensor, together: tf.Tensor) -> tuple:
    """The order in which tiles of one size follow one another, and ends of groups.

    Returns:
        Numbers of tiles, int32 `(b,)`; and for each group the place after its last
        tile, int32 `(g,)`.
    """
    rows, columns = tf.unstack(sizes, axis=1)
    key = rows * (tf.reduce_max(columns) + 1) + columns
    order = tf.argsort(key, stable=True)
    key = tf.gather(key, order)
    place = tf.range(tf.size(key))
    # How many tiles of the same size come before.
    before = place - tf.searchsorted(key, key)
    is_last = tf.concat([tf.not_equal(key[1:], key[:-1]), [True]], axis=0)
    is_last |= tf.equal((before + 1) % together, 0)
    return order, tf.cast(tf.where(is_last)[:, 0] + 1, tf.int32)


def _unpacked(data: tf.Tensor, most: tf.Tensor, conditions: Conditions) -> tuple:
    """Checksums int32 `(b,)` and `SharedStrings` from the parts of tiles `(b,)`."""

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
    conditions.require(decoded.valid_string_count, "the strings do not decode")
    conditions.require(
        tf.equal(decoded.checksum, checksums),
        "decoded to other latents than were encoded",
    )
