"""JPEG and PNG files to pixels in the graph, and pixels to PNG files."""

from typing import Callable, NamedTuple

import tensorflow as tf

from tf_imgcomp.serving.conditions import Conditions

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_GREY_TYPES = (0, 4)  # Of PNG: grey without and with transparency.
# A file of PNG that names a transparent grey: a chunk of two bytes (\C: any byte).
_CLEAR_GREY = r"\C*\x00\x00\x00\x02tRNS\C*"
_OPAQUE = 2**16 - 1
_COMPRESSION = 4  # TensorFlow cannot restrict it to run lengths.


class DecodedImage(NamedTuple):
    """An image from a file.

    Attributes:
        pixels: uint8 `(h, w, 3)`.
        grey: bool scalar, whether the image is grey.
    """

    pixels: tf.Tensor
    grey: tf.Tensor


def decode(
    data: tf.Tensor, pixels_max: int, conditions: Conditions, step: int = 1
) -> DecodedImage:
    """Decodes a JPEG or PNG file.

    Like `image_files.images.read_image`, but without metadata: the orientation in
    EXIF and the ICC profile are not used.

    Args:
        data: string scalar.
        pixels_max: larger images are refused before they are decoded.
        conditions: get what is wrong with the file. If they do not hold, the image is
            a single pixel.
        step: sides are padded to multiples of it to compare them with `pixels_max`.
    """
    is_jpeg = tf.equal(tf.strings.substr(data, 0, len(_JPEG)), _JPEG)
    is_png = tf.equal(tf.strings.substr(data, 0, len(_PNG)), _PNG)
    conditions.require(is_jpeg | is_png, "not a JPEG or PNG image")
    nothing = tf.zeros([3], tf.int64)
    shape = _by_format(
        is_jpeg,
        is_png,
        lambda: _or(_jpeg_shape, data, nothing),
        lambda: _or(_png_shape, data, nothing),
        lambda: nothing,
    )
    conditions.require(tf.reduce_min(shape) > 0, "damaged image")
    conditions.require_size(shape[:2], pixels_max, step)
    nothing = tf.zeros([0, 0, 4], tf.uint16)
    image = _by_format(
        is_jpeg & conditions.hold,
        is_png & conditions.hold,
        lambda: _or(_jpeg, data, nothing),
        lambda: _or(_png, data, nothing),
        lambda: nothing,
    )
    conditions.require(tf.size(image) > 0, "damaged image")
    is_opaque = tf.reduce_all(tf.equal(image[..., 3], _OPAQUE))
    conditions.require(is_opaque, "has transparency, which needs a client to encode")
    image = tf.cond(conditions.hold, lambda: image, lambda: image[:0, :0])
    image = tf.cast((tf.cast(image[..., :3], tf.int32) + 128) // 257, tf.uint8)
    missing = 1 - tf.cast(conditions.hold, tf.int32)
    pixels = tf.pad(image, [[0, missing], [0, missing], [0, 0]])
    return DecodedImage(pixels, tf.equal(shape[2], 1))


def encode(image: DecodedImage) -> tf.Tensor:
    """A PNG file, a string scalar; of a grey image, the means of the three channels."""

    def grey():
        total = tf.reduce_sum(tf.cast(image.pixels, tf.int32), -1, keepdims=True)
        mean = tf.cast((total + 1) // 3, tf.uint8)
        return tf.io.encode_png(mean, compression=_COMPRESSION)

    def colour():
        return tf.io.encode_png(image.pixels, compression=_COMPRESSION)

    return tf.cond(image.grey, grey, colour)


def _by_format(is_jpeg, is_png, jpeg: Callable, png: Callable, other: Callable):
    return tf.cond(is_jpeg, jpeg, lambda: tf.cond(is_png, png, other))


def _or(function: Callable, data: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """The result of a function of the data, or another value if the function fails.

    In TensorFlow only data sets can ignore the errors of an operation.
    """
    results = tf.data.Dataset.from_tensors(data).map(function).ignore_errors()
    return results.reduce(otherwise, lambda _, result: result)


def _jpeg_shape(data: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.image.extract_jpeg_shape(data), tf.int64)


def _png_shape(data: tf.Tensor) -> tf.Tensor:
    """Height, width, and 1 channel if it is grey or else 3, int64 `(3,)`."""
    head = tf.io.decode_raw(tf.strings.substr(data, 16, 10), tf.uint8)
    head = tf.cast(head, tf.int64)
    sides = tf.reshape(head[:8], [2, 4]) * [1 << 24, 1 << 16, 1 << 8, 1]
    width, height = tf.unstack(tf.reduce_sum(sides, axis=1))
    is_grey = tf.reduce_any(tf.equal(head[9], _GREY_TYPES))
    return tf.stack([height, width, 3 - 2 * tf.cast(is_grey, tf.int64)])


def _jpeg(data: tf.Tensor) -> tf.Tensor:
    """Opaque pixels, uint16 `(h, w, 4)`."""
    # These options give the pixels of libjpeg's default, to which Pillow decodes.
    image = tf.io.decode_jpeg(
        data, channels=3, fancy_upscaling=True, dct_method="INTEGER_ACCURATE"
    )
    image = tf.cast(image, tf.uint16) * 257
    return tf.pad(image, [[0, 0], [0, 0], [0, 1]], constant_values=_OPAQUE)


def _png(data: tf.Tensor) -> tf.Tensor:
    """Pixels, uint16 `(h, w, 4)`."""
    depth = tf.io.decode_raw(tf.strings.substr(data, 24, 1), tf.uint8)[0]

    def decode(channels: int) -> tf.Tensor:
        return tf.io.decode_png(data, channels=channels, dtype=tf.uint16)

    return tf.cond(depth < 8, lambda: _with_alpha(decode(0), data), lambda: decode(4))


def _with_alpha(image: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """Gives four channels to an image of 1, 3 or 4, from a file of less than 8 bits.

    TensorFlow adds alpha of a wrong depth and ignores the
    transparent grey. Such an image is made fully transparent, so that it is refused.
    """
    channels = tf.shape(image)[2]
    colours = tf.gather(image, tf.where(channels < 3, [0, 0, 0], [0, 1, 2]), axis=2)
    is_clear = tf.strings.regex_full_match(data, _CLEAR_GREY)
    alpha = tf.where(is_clear, tf.constant(0, tf.uint16), _OPAQUE)
    alpha = tf.fill(tf.shape(image[..., :1]), alpha)
    alpha = tf.cond(channels > 3, lambda: image[..., 3:], lambda: alpha)
    return tf.concat([colours, alpha], axis=2)
