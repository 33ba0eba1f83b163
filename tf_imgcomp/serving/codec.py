"""A learned codec for a server: batches of files, TensorFlow's own operations."""

import tensorflow as tf

from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN
from tf_imgcomp.entropy_coding.integer_coder import QUALITY_STEPS
from tf_imgcomp.export.codec import CodecModule, in_hundredths
from tf_imgcomp.export.hidden import Hidden
from tf_imgcomp.image_codecs.tiles import LATENT, STRIDE, Z_STRIDE
from tf_imgcomp.ops.graphs import graph_function
from tf_imgcomp.ops.resampling import shrink
from tf_imgcomp.ops.rounding import to_pixels
from tf_imgcomp.serving import image_bytes, tfci_bytes, tile_parts
from tf_imgcomp.serving.card import card_signature
from tf_imgcomp.serving.conditions import Conditions, limited, padded
from tf_imgcomp.serving.image_bytes import DecodedImage
from tf_imgcomp.serving.placement import (
    CPU,
    FILES_AT_ONCE,
    STRINGS_AT_ONCE,
    TILES_AT_ONCE,
    TILES_IN_CALL,
)
from tf_imgcomp.serving.tfci_bytes import FileContent, Format
from tf_imgcomp.serving.tile_decoding import TileDecoder
from tf_imgcomp.serving.windows import ImageTiles

PREVIEWS = (1, 2, 4, 8, 16)  # How many times smaller one can be.
SIGNATURES = (
    "compress",
    "decompress",
    "compress_tiles",
    "decode_tiles",
    "synthesize_tiles",
    "decode_first_tiles",
    "preview_tiles",
    "card",
)


def _strings(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name)


def _numbers(name: str, *shape: int) -> tf.TensorSpec:
    return tf.TensorSpec([None, *shape], tf.int32, name)


_QUALITY = tf.TensorSpec([None], tf.float32, "quality")
_SIZE = tf.TensorSpec([2], tf.int32)
_STRINGS = [tf.TensorSpec([], tf.string)] * 2
_TILES = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")


class ServingCodec(tf.Module):
    """A codec as functions of batches.

    Signatures, batch first. `error` is "", or why an element has no result; its other
    outputs are then empty or zero, and other elements have theirs.

        compress          images string [b], JPEG or PNG; quality float32 [b], 1 to 100
                          -> files_bytes string [b]; bpp float32 [b]; error string [b]
        decompress        files string [b], `.tfci`
                          -> images_bytes string [b], PNG; error string [b]
        compress_tiles    images uint8 [b, h, w, 3], tiles with their surroundings;
                          crop int32 [b, 4]; quality float32 [b]
                          -> first string [b], rest string [b], error string [b]
        decode_tiles      first string [b], rest string [b], rows int32 [b],
                          columns int32 [b], quality float32 [b]
                          -> y_hat float32 [b, r, c, depth], error string [b]
        synthesize_tiles  y_hat float32 [b, r, c, depth], quality float32 [b]
                          -> images uint8 [b, 16 r, 16 c, 3]
        decode_first_tiles  decode_tiles without rest
                          -> y_hat float32 [b, r, c, slices[0]], error string [b]
        preview_tiles     y_hat float32 [b, r, c, slices[0]], quality float32 [b],
                          factor int32 [b], 1, 2, 4, 8 or 16
                          -> images uint8 [b, 16 r / factor, 16 c / factor, 3],
                          error string [b]
        card              see `card`

    TensorFlow Serving's REST interface encodes in base64 the outputs whose names end in
    `_bytes`. Files are whole: header, index and checks. Images have no metadata and no
    transparency. `crop`, rows and columns are those of `export.codec.CodecModule`;
    `first` and `rest` are the bytes of a tile in both parts of a file. Latents of
    tiles with fewer rows or columns than others in the batch are padded with zeros, and
    so are previews with a larger factor. Images of synthesize_tiles and preview_tiles
    have their surroundings, as `y_hat` has.

    Args:
        model: the codec, its coder in standard operations.
        card: its card; `id` is the codec's.
        pixels_max: larger images are refused.
    """

    def __init__(self, model: CodecModule, card: dict, pixels_max: int):
        super().__init__(name="codec")
        self._model, self._codec = Hidden(model), card["id"]
        self.card = card_signature(card)
        self._parts = [model.coder, model.analysis_weights, model.synthesis_weights]
        self.fingerprint, self._pixels_max = model.fingerprint, pixels_max
        border = -(-card["border"] // Z_STRIDE) * Z_STRIDE
        side = card["tile"] + 2 * LATENT * border
        # A server puts tiles of several clients into one call.
        self._pixels_in_call = max(pixels_max, TILES_IN_CALL * side * side)
        config = model.coder.config
        y_hat, y_first = (
            tf.TensorSpec([None, None, None, depth], tf.float32, "y_hat")
            for depth in (config.latent_depth, config.slices[0])
        )
        y, z = (
            tf.TensorSpec([1, None, None, depth], tf.float32)
            for depth in (config.latent_depth, config.hyper_depth)
        )
        hundredths = tf.TensorSpec([], tf.int64)
        # In the graph once, for several uses.
        self._encode = Hidden(graph_function(self._encode_tile, [y, z, hundredths]))
        file = tf.TensorSpec([], tf.string)
        self._unpack = Hidden(graph_function(self._read_file, [file]))
        self._decoder = TileDecoder(model.coder)
        self.synthesize_tiles = graph_function(
            self._synthesize_tiles, [y_hat, _QUALITY]
        )
        self.preview_tiles = graph_function(
            self._preview_tiles, [y_first, _QUALITY, _numbers("factor")]
        )

    @property
    def signatures(self) -> dict:
        """The functions by the names that they are exported under."""
        return {name: getattr(self, name) for name in SIGNATURES}

    @graph_function(input_signature=(_strings("images"), _QUALITY))
    def compress(self, images, quality):
        files, bpp, error = tf.map_fn(
            lambda element: self._compress_file(*element),
            (images, quality),
            parallel_iterations=FILES_AT_ONCE,
            fn_output_signature=(tf.string, tf.float32, tf.string),
        )
        return {"files_bytes": files, "bpp": bpp, "error": error}

    @graph_function(input_signature=(_strings("files"),))
    def decompress(self, files):
        *tiles, are_small = tf.map_fn(
            self._only_tile,
            files,
            parallel_iterations=FILES_AT_ONCE,
            fn_output_signature=(tf.string, tf.string, _SIZE, tf.int64, tf.bool),
        )
        small, large = (
            tf.cast(tf.where(are)[:, 0], tf.int32) for are in (are_small, ~are_small)
        )
        first, rest, sizes, hundredths = (tf.gather(x, small) for x in tiles)

        def use(numbers, y_hat, errors):
            of_group = tf.gather(files, tf.gather(small, numbers))
            return self._each_file(self._image_of_tile, (of_group, y_hat, errors))

        of_small = self._decoder.for_each_group(
            (first, rest), sizes, hundredths, STRINGS_AT_ONCE, use, _STRINGS
        )
        with tf.control_dependencies(of_small):  # Both at once would take more memory.
            large = tf.identity(large)
        of_large = self._each_file(self._decompress_file, tf.gather(files, large))
        images, error = (
            tf.dynamic_stitch([small, large], both) for both in zip(of_small, of_large)
        )
        return {"images_bytes": images, "error": error}

    def _each_file(self, decompress, elements) -> tuple:
        """PNG files `(b,)` and errors, from a function of one element."""
        return tf.map_fn(
            decompress,
            elements,
            parallel_iterations=FILES_AT_ONCE,
            fn_output_signature=(tf.string, tf.string),
        )

    @graph_function(input_signature=(_TILES, _numbers("crop", 4), _QUALITY))
    def compress_tiles(self, images, crop, quality):
        model, hundredths = self._model.value, _hundredths(quality)
        codec = model.codec
        tiles, sides = tf.split(tf.shape(images, tf.int64)[:3], [1, 2])
        count = tf.reduce_prod(tf.concat([tiles, padded(sides, STRIDE)], axis=0))
        images = limited(images, count, self._pixels_in_call)
        with model.weights_of_encoder():
            y, _ = codec.analysis_and_importance(images, _quality(hundredths))
            rate = codec.rate_features(_quality(hundredths))

            def tile(element):
                y, crop, rate, quality, hundredths = element
                conditions = Conditions()
                _require_quality(quality, conditions)
                y = _cropped(y, crop, conditions)[None]
                z = codec.latent_coder.run_hyper_analysis(y, rate[None])
                first, rest = tf.cond(
                    conditions.hold,
                    lambda: self._encode.value(y, z, hundredths),
                    lambda: (tf.constant(""), tf.constant("")),
                )
                return first, rest, conditions.error

            first, rest, error = tf.map_fn(
                tile,
                (y, crop, rate, quality, hundredths),
                parallel_iterations=STRINGS_AT_ONCE,
                fn_output_signature=(tf.string, tf.string, tf.string),
            )
        return {"first": first, "rest": rest, "error": error}

    @graph_function(
        input_signature=(
            *(_strings("first"), _strings("rest")),
            *(_numbers("rows"), _numbers("columns"), _QUALITY),
        )
    )
    def decode_tiles(self, first, rest, rows, columns, quality):
        return self._decode_tiles((first, rest), rows, columns, quality)

    @graph_function(
        input_signature=(
            *(_strings("first"), _numbers("rows"), _numbers("columns"), _QUALITY),
        )
    )
    def decode_first_tiles(self, first, rows, columns, quality):
        return self._decode_tiles((first,), rows, columns, quality)

    def _decode_tiles(self, parts, rows, columns, quality) -> dict:
        """Latents of tiles, padded with zeros to one shape, and an error for each."""
        side = self._model.value.card["tile"] // LATENT
        sizes = tf.stack([rows, columns], axis=1)
        most = tf.clip_by_value(tf.reduce_max(sizes, axis=0), Z_STRIDE, side)
        batch = tf.cast(tf.concat([tf.shape(rows), most], axis=0), tf.int64)
        count = LATENT * LATENT * tf.reduce_prod(batch)
        sizes = limited(sizes, count, self._pixels_in_call)
        conditions = Conditions()
        _require_quality(quality, conditions)
        fits = (sizes > 0) & (sizes <= side) & tf.equal(sizes % Z_STRIDE, 0)
        message = f"expected rows and columns of 4 to {side}, multiples of 4"
        conditions.require(tf.reduce_all(fits, axis=1), message)
        sizes = tf.where(conditions.hold[:, None], sizes, Z_STRIDE)
        y_hat, error = self._decoder.padded(
            parts, sizes, _hundredths(quality), STRINGS_AT_ONCE, most
        )
        conditions.require(tf.equal(error, ""), error)
        y_hat = tf.where(conditions.hold[:, None, None, None], y_hat, 0)
        return {"y_hat": y_hat, "error": conditions.error}

    def _synthesize_tiles(self, y_hat, quality):
        model = self._model.value
        y_hat = self._limited_latents(y_hat)
        with model.synthesis_weights.used():
            x_hat = model.codec.synthesis(y_hat, _quality(_hundredths(quality)))
        return {"images": to_pixels(x_hat)}

    def _preview_tiles(self, y_hat, quality, factor):
        model = self._model.value
        y_hat = self._limited_latents(y_hat)
        with model.synthesis_weights.used():
            x_hat = model.codec.preview(y_hat, _quality(_hundredths(quality)), 1)
        is_one = tf.reduce_any(tf.equal(factor[:, None], PREVIEWS), axis=1)
        factor = tf.where(is_one, factor, LATENT)
        most = tf.shape(x_hat)[1:3] // tf.reduce_min(factor)

        def small(element):
            x_hat, factor = element
            x_hat = shrink(x_hat[None], factor)[0]
            missing = most - tf.shape(x_hat)[:2]
            return tf.pad(x_hat, [[0, missing[0]], [0, missing[1]], [0, 0]])

        spec = tf.TensorSpec([None, None, 3], tf.float32)
        x_hat = tf.map_fn(small, (x_hat, factor), fn_output_signature=spec)
        message = "expected a factor of 1, 2, 4, 8 or 16"
        return {"images": to_pixels(x_hat), "error": tf.where(is_one, "", message)}

    def _limited_latents(self, y_hat: tf.Tensor) -> tf.Tensor:
        """See `limited`."""
        positions = tf.size(y_hat[..., 0], tf.int64)
        return limited(y_hat, LATENT * LATENT * positions, self._pixels_in_call)

    def _compress_file(self, data, quality) -> tuple:
        """The file, bits per pixel, and an error or ""."""
        conditions = Conditions()
        _require_quality(quality, conditions)
        with tf.device(CPU):
            image = image_bytes.decode(data, self._pixels_max, conditions, STRIDE)
        file = tf.cond(
            conditions.hold,
            lambda: self._file(image, _hundredths(quality)),
            lambda: tf.constant(""),
        )
        pixels = tf.cast(tf.size(image.pixels) // 3, tf.float32)
        bits = 8 * tf.cast(tf.strings.length(file), tf.float32)
        return file, bits / pixels, conditions.error

    def _file(self, image: DecodedImage, hundredths) -> tf.Tensor:
        """The `.tfci` file of an image."""
        model, tiles = self._model.value, self._tiles(tf.shape(image.pixels)[:2])

        def tile(number):
            window, crop = tiles.analysis_window(number)
            latents = model.analysis(window.of(image.pixels), crop, hundredths)
            return self._encode.value(latents["y"], latents["z"], hundredths)

        first, rest = tf.map_fn(
            tile,
            tf.range(tiles.count),
            parallel_iterations=TILES_AT_ONCE,
            fn_output_signature=(tf.string, tf.string),
        )
        content = FileContent(tiles.size, hundredths, image.grey, first, rest)
        with tf.device(CPU):
            return tfci_bytes.pack(content, self._format())

    def _encode_tile(self, y, z, hundredths) -> tuple:
        """The bytes of a tile in both parts."""
        with tf.device(CPU):
            coded = self._model.value.coder.encode(y, z, hundredths)
            return (
                tile_parts.pack(coded.checksums[0], coded.first),
                tile_parts.pack(coded.checksums[1], coded.rest),
            )

    def _read_file(self, data) -> tuple:
        """The content of a file, and an error or ""; see `tfci_bytes.unpack`."""
        conditions = Conditions()
        with tf.device(CPU):
            content = tfci_bytes.unpack(data, self._format(), conditions)
        return content, conditions.error

    def _only_tile(self, data) -> tuple:
        """Reads a file of one tile: such tiles of several files share a loop.

        Returns:
            The bytes of the tile in both parts, its rows and columns of latents, the
            quality, and whether the file has one tile; if not, the others mean nothing.
        """
        content, error = self._unpack.value(data)
        tiles = self._tiles(content.size)
        is_small = tf.equal(error, "") & tf.equal(tiles.count, 1)
        first, rest = (
            tf.strings.reduce_join(part[: tf.cast(is_small, tf.int32)])
            for part in (content.first, content.rest)
        )
        size = tf.where(is_small, tiles.latents.size, Z_STRIDE)
        hundredths = tf.where(is_small, content.quality, _hundredths(QUALITY_MIN))
        return first, rest, size, hundredths, is_small

    def _image_of_tile(self, element) -> tuple:
        """The PNG file, and an error or "".

        Args:
            element: a file of one tile, string scalar; its latents `(h, w, depth)`; and
                their error, string scalar.
        """
        data, y_hat, error = element
        content, _ = self._unpack.value(data)
        return self._image(content, y_hat, error)

    def _decompress_file(self, data) -> tuple:
        """The PNG file, and an error or ""; of a file that has not one tile."""
        content, error = self._unpack.value(data)
        return tf.cond(
            tf.equal(error, ""),
            lambda: self._image(content, *self._latents(content)),
            lambda: (tf.constant(""), error),
        )

    def _image(self, content: FileContent, y_hat, error) -> tuple:
        """The PNG file of latents, and an error or ""."""

        def image():
            pixels = self._pixels(y_hat, content.quality, self._tiles(content.size))
            with tf.device(CPU):
                return image_bytes.encode(DecodedImage(pixels, content.grey))

        return tf.cond(tf.equal(error, ""), image, lambda: tf.constant("")), error

    def _latents(self, content: FileContent) -> tuple:
        """The latents of an image, float32 `(h, w, depth)`, and an error or ""."""
        tiles = self._tiles(content.size)

        def size(number):
            window = tiles.latents.tile(number)
            return window.stop - window.start

        sizes = tf.map_fn(size, tf.range(tiles.count), fn_output_signature=_SIZE)
        blocks, errors = self._decoder.padded(
            (content.first, content.rest),
            sizes,
            tf.fill([tiles.count], content.quality),
            TILES_AT_ONCE,
            tiles.latents.block_size,
        )
        conditions = Conditions()
        conditions.require_none(errors)
        return tiles.latents.joined(blocks), conditions.error

    def _pixels(self, y_hat, hundredths, tiles: ImageTiles) -> tf.Tensor:
        """Pixels of an image from its latents, uint8 `(h, w, 3)`."""

        def tile(number):
            window, crop = tiles.synthesis_window(number)
            seen = window.of(y_hat)[None]
            image = self._model.value.synthesis(seen, crop, hundredths)["image"]
            return tiles.pixels.block(image, number)

        blocks = tf.map_fn(
            tile,
            tf.range(tiles.count),
            parallel_iterations=TILES_AT_ONCE,
            fn_output_signature=tf.TensorSpec([None, None, 3], tf.uint8),
        )
        return tiles.pixels.joined(blocks)

    def _tiles(self, size: tf.Tensor) -> ImageTiles:
        card = self._model.value.card
        return ImageTiles(size, card["tile"], card["border"])

    def _format(self) -> Format:
        fingerprint = tf.cast(self.fingerprint, tf.int64)
        tile = self._model.value.card["tile"]
        return Format(self._codec, fingerprint, tile, self._pixels_max)


def _hundredths(quality: tf.Tensor) -> tf.Tensor:
    """Qualities in hundredths, int64; those that are no number become 1."""
    return in_hundredths(tf.where(tf.math.is_nan(quality), QUALITY_MIN, quality))


def _quality(hundredths: tf.Tensor) -> tf.Tensor:
    return tf.cast(hundredths, tf.float32) / QUALITY_STEPS


def _require_quality(quality: tf.Tensor, conditions: Conditions) -> None:
    is_one = (quality >= QUALITY_MIN) & (quality <= QUALITY_MAX)
    conditions.require(is_one, "expected a quality from 1 to 100")


def _cropped(y: tf.Tensor, crop: tf.Tensor, conditions: Conditions) -> tf.Tensor:
    """The latents `(h, w, c)` of a tile without its surroundings; the first 4x4
    if there is no such crop."""
    before, after = crop[::2], crop[1::2]
    sizes = tf.shape(y)[:2] - before - after
    fits = (before >= 0) & (before <= tf.shape(y)[:2]) & (after >= 0) & (sizes > 0)
    is_inside = tf.reduce_all(fits)  # Sums of larger numbers would wrap around.
    is_whole = tf.reduce_all(tf.equal(sizes % Z_STRIDE, 0))
    message = "expected a crop that leaves rows and columns, multiples of 4"
    conditions.require(is_inside & is_whole, message)
    begin = tf.where(conditions.hold, before, 0)
    end = begin + tf.where(conditions.hold, sizes, Z_STRIDE)
    return y[begin[0] : end[0], begin[1] : end[1]]
