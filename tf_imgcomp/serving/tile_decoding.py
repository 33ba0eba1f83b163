"""The latents of tiles from their strings; tiles that are alike share the loop."""

from collections.abc import Sequence
from functools import partial
from typing import Callable, NamedTuple

import tensorflow as tf

from tf_imgcomp.entropy_coding.integer_coder import DecodedPart, IntegerCoder
from tf_imgcomp.entropy_coding.shared_streams import SharedStrings
from tf_imgcomp.image_codecs.tiles import Z_STRIDE
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.serving import tile_parts
from tf_imgcomp.serving.conditions import Conditions
from tf_imgcomp.serving.placement import CPU

# Counts of streams that begin a class. A step of the loop takes all streams of a group,
# and the tile with the longest ones decides how many steps there are.
_CLASSES = (4, 16, 64, 256, 1024)


class _Part(NamedTuple):
    """A part of some tiles, unpacked.

    Attributes:
        checksums: int32 `(b,)`.
        strings: `(b, s)`, padded with empty ones.
        counts: int32 `(b,)`, strings of each tile.
        errors: string `(b,)`, "" without one.
    """

    checksums: tf.Tensor
    strings: tf.Tensor
    counts: tf.Tensor
    errors: tf.Tensor


class TileDecoder:
    """Decodes tiles, each of which has its own error.

    Args:
        coder: in standard operations.
    """

    def __init__(self, coder: IntegerCoder):
        self._coder = coder
        vector = partial(tf.TensorSpec, [None])
        part = _Part(
            vector(tf.int32),
            tf.TensorSpec([None, None], tf.string),
            vector(tf.int32),
            vector(tf.string),
        )
        # Optimized once, for all uses in all signatures.
        self._of_parts = {
            count: graph_function(
                self._decode,
                [[part] * count, tf.TensorSpec([2], tf.int32), vector(tf.int64)],
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
                and in the second. Without these, only the first slice is decoded.
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
        most = self._coder.streams_max(*tf.unstack(sizes, axis=1))
        unpacked = [_unpacked(part, most) for part in parts]
        order, ends = _groups(sizes, [part.counts for part in unpacked], together)

        def group(number, start, *arrays):
            tiles = order[start : ends[number]]
            y_hat, errors = self._of_parts[len(parts)](
                [_Part(*(tf.gather(x, tiles) for x in part)) for part in unpacked],
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

    def _decode(self, parts: Sequence[_Part], size, hundredths) -> tuple:
        """The latents of tiles of one size `(2,)`, and errors."""
        conditions = Conditions()
        first, *others = parts
        with tf.device(CPU):
            conditions.require(tf.equal(first.errors, ""), first.errors)
            psi, decoded = self._coder.decode_first(
                SharedStrings(first.strings, first.counts),
                *tf.unstack(size // Z_STRIDE),
                hundredths,
            )
            _require_match(decoded, first, conditions)
            for rest in others:
                conditions.require(tf.equal(rest.errors, ""), rest.errors)
                decoded = self._coder.decode_rest(
                    SharedStrings(rest.strings, rest.counts),
                    psi,
                    decoded.y_hat,
                    hundredths,
                )
                _require_match(decoded, rest, conditions)
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


def _unpacked(data: tf.Tensor, most: tf.Tensor) -> _Part:
    """The parts of tiles `(b,)`, each of at most as many streams, int32 `(b,)`."""
    # There may be no tiles, but to stack none is an error: an empty one is added.
    data, most = tf.concat([data, [""]], axis=0), tf.concat([most, [1]], axis=0)
    widest = tf.reduce_max(most)

    def unpack(element):
        conditions = Conditions()
        checksum, strings = tile_parts.unpack(*element, conditions)
        count = tf.size(strings)
        strings = tf.pad(strings, [[0, widest - count]])
        return _Part(checksum, strings, count, conditions.error)

    scalar = partial(tf.TensorSpec, [])
    specs = _Part(
        scalar(tf.int32),
        tf.TensorSpec([None], tf.string),
        scalar(tf.int32),
        scalar(tf.string),
    )
    unpacked = tf.map_fn(unpack, (data, most), fn_output_signature=specs)
    return _Part(*(x[:-1] for x in unpacked))


def _require_match(decoded: DecodedPart, part: _Part, conditions: Conditions) -> None:
    conditions.require(decoded.valid_string_count, "the strings do not decode")
    conditions.require(
        tf.equal(decoded.checksum, part.checksums),
        "decoded to other latents than were encoded",
    )
