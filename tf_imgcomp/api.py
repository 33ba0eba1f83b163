"""The package from Python: images to bytes or files and back.

An image is a NumPy array, a Pillow image, or the path of an image file. Arrays are
uint8, `(h, w)` or `(h, w, 1)` grey, `(h, w, 2)` grey and alpha, `(h, w, 3)` RGB,
`(h, w, 4)` RGB and alpha. Lists give lists.

A goal is one of

    quality=60         from 1, the smallest file, to 100; 50 without any goal
    target_bpp=0.5     the best quality with at most so many bits per pixel
    target_psnr=35     the smallest file with at least this PSNR in dB
    max_bytes=50_000   the best quality with at most so many bytes

Models stay loaded. Errors that a user can correct are subclasses of `ImgcompError`:
`ImageError`, `BitstreamError`, `ModelError`, `ClassicalCodecError`. An argument outside
of its range is a ValueError, one of another type a TypeError.
"""

from __future__ import annotations

import functools
import operator
import os
import threading
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, overload

import numpy as np
from PIL import Image

from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.errors import ModelError
from tf_imgcomp.files import choice, compression, goals
from tf_imgcomp.files.compression import Report
from tf_imgcomp.files.encoding import decode
from tf_imgcomp.image_codecs import catalogue
from tf_imgcomp.image_codecs import models as model_folders
from tf_imgcomp.image_codecs.catalogue import ModelInfo
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS
from tf_imgcomp.image_codecs.effort import FAST
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_files import arrays, images
from tf_imgcomp.image_files.images import Photo
from tf_imgcomp.model_folder import read_card
from tf_imgcomp.regions import Region
from tf_imgcomp.size_limits import MAX_PIXELS, check_pixels

if TYPE_CHECKING:
    import tensorflow as tf

PathLike = Union[str, "os.PathLike[str]"]
ImageLike = Union[np.ndarray, Image.Image, PathLike]
Data = Union[bytes, bytearray, memoryview, PathLike]

_SCALES = {1 / reduction: reduction for reduction in (1, 2, 4, 8, 16)}
_LOADING = threading.Lock()


@overload
def compress(
    image: ImageLike,
    *,
    model: str = ...,
    quality: float | None = ...,
    target_bpp: float | None = ...,
    target_psnr: float | None = ...,
    max_bytes: int | None = ...,
    effort: int = ...,
    max_pixels: int = ...,
) -> bytes: ...


@overload
def compress(
    image: list[Any],
    *,
    model: str = ...,
    quality: float | None = ...,
    target_bpp: float | None = ...,
    target_psnr: float | None = ...,
    max_bytes: int | None = ...,
    effort: int = ...,
    max_pixels: int = ...,
) -> list[bytes]: ...


def compress(
    image: ImageLike | list[Any],
    *,
    model: str = choice.AUTO,
    quality: float | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    max_bytes: int | None = None,
    effort: int = FAST,
    max_pixels: int = MAX_PIXELS,
) -> bytes | list[bytes]:
    """Compresses an image to the bytes of a `.tfci` file.

    Metadata of a Pillow image or a file come along, and the image is turned upright.
    A warning names what is lost, such as bits of a deeper image.

    Args:
        image: An image, or a list of them.
        model: Id or folder of a model, see `models`, or the name of a classical codec.
            "auto": the default model; images that do not look like photos are coded
            with AVIF 4:4:4 and lossless WebP, too, and the cheapest file is kept.
        quality, target_bpp, target_psnr, max_bytes: A goal, for each image of a list.
        effort: 1 to 9. Efforts 1 to 6 give the same file; from 7 on a learned codec
            refines the latents of each image, slowly.
        max_pixels: Largest number of pixels of an image in a file; 0: no limit.

    Raises:
        ImageError: If the image is not one of those above, damaged, or too large.
        ImgcompError: If the goal cannot be reached.
        ModelError: If there is no such model, or it does not have this effort.
        OSError: If a file cannot be read.
    """
    goal = goals.goal_of(quality, target_bpp, target_psnr, max_bytes)
    codec, others = _load_to_compress(model, effort)

    def compressed(image: ImageLike) -> bytes:
        photo = _read(image, codec.memory_to_compress, max_pixels)
        _warn(photo.notes)
        return choice.encode_cheapest(codec, others, photo, goal)[0].data

    return _for_each(compressed, image)


@overload
def decompress(
    data: Data,
    *,
    region: tuple[int, int, int, int] | None = ...,
    scale: float = ...,
    model: str | None = ...,
    max_pixels: int = ...,
) -> Image.Image: ...


@overload
def decompress(
    data: list[Any],
    *,
    region: tuple[int, int, int, int] | None = ...,
    scale: float = ...,
    model: str | None = ...,
    max_pixels: int = ...,
) -> list[Image.Image]: ...


def decompress(
    data: Data | list[Any],
    *,
    region: tuple[int, int, int, int] | None = None,
    scale: float = 1,
    model: str | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Image.Image | list[Image.Image]:
    """Decompresses a `.tfci` file to a Pillow image.

    Args:
        data: The bytes of a file, its path, or a list of these.
        region: `(left, top, width, height)` in pixels, the part of the image to return;
            only tiles that it needs are decoded. None: all.
        scale: 1/2, 1/4, 1/8 or 1/16 for a preview. The first part of a file is enough
            for it; that the rest is missing is a warning.
        model: Id or folder of the model, if it is not among the models' folders.
        max_pixels: Largest number of pixels to decode; 0: no limit.

    Returns:
        An image of mode L, LA, RGB or RGBA. Its `info` has `icc_profile`, `exif`, `xmp`
        and `dpi` as far as the file has them. `np.asarray` of it is the array, uint8.

    Raises:
        BitstreamError: If the file is damaged or foreign.
        ModelError: If its model is missing or has other weights.
        ImageError: If the image does not contain the region, or is too large.
        OSError: If a file cannot be read.
    """
    area, reduction = _part(region, scale)

    def decompressed(data: Data) -> Image.Image:
        file, faults = compression.read_file(_bytes(data), is_preview=reduction > 1)
        check_pixels(*file.decoded_size(area), max_pixels)
        photo = decode(_codec_of(file, model), file, area, reduction)
        _warn((*faults, *photo.notes))
        return arrays.to_pillow(photo)

    return _for_each(decompressed, data)


def compress_file(
    source: PathLike,
    target: PathLike | None = None,
    *,
    model: str = choice.AUTO,
    quality: float | None = None,
    target_bpp: float | None = None,
    target_psnr: float | None = None,
    max_bytes: int | None = None,
    effort: int = FAST,
    strip: bool = False,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> Report:
    """Compresses an image file to a `.tfci` file.

    Args:
        source: The image.
        target: The file to write. None: beside the image, with the extension `.tfci`.
        model, quality, target_bpp, target_psnr, max_bytes, effort: See `compress`.
        strip: Whether to leave out all metadata.
        max_pixels: Largest number of pixels of the image; 0: no limit.
        overwrite: Whether `target` may exist.

    Returns:
        Bytes, bits per pixel, seconds, and messages about what was lost.

    Raises:
        ImgcompError: See `compress`; and if `target` exists.
        OSError: If a file cannot be read or written.
    """
    goal = goals.goal_of(quality, target_bpp, target_psnr, max_bytes)
    codec, others = _load_to_compress(model, effort)
    return compression.compress_file(
        codec,
        Path(source),
        Path(target) if target else Path(source).with_suffix(compression.SUFFIX),
        goal,
        others=others,
        strip=strip,
        max_pixels=max_pixels,
        overwrite=overwrite,
    )


def decompress_file(
    source: PathLike,
    target: PathLike | None = None,
    *,
    region: tuple[int, int, int, int] | None = None,
    scale: float = 1,
    model: str | None = None,
    max_pixels: int = MAX_PIXELS,
    overwrite: bool = False,
) -> Report:
    """Decompresses a `.tfci` file to an image file.

    Args:
        source: The `.tfci` file.
        target: The image to write; its extension names the format. None: beside the
            file, with the extension `.png`.
        region, scale, model, max_pixels: See `decompress`.
        overwrite: Whether `target` may exist.

    Returns:
        Bytes, bits per pixel, seconds, and messages about what the format cannot hold.

    Raises:
        ImgcompError: See `decompress`; and if `target` exists or has another extension.
        OSError: If a file cannot be read or written.
    """
    area, reduction = _part(region, scale)
    return compression.decompress_file(
        load_by_id if model is None else lambda _: load_model(model),
        Path(source),
        Path(target) if target else Path(source).with_suffix(".png"),
        region=area,
        scale=reduction,
        max_pixels=max_pixels,
        overwrite=overwrite,
    )


def models() -> list[ModelInfo]:
    """Returns what is known about each model that is installed, by id.

    Raises:
        ModelError: If a card is damaged.
    """
    return catalogue.catalogue()


def load_model(model: str = model_folders.DEFAULT) -> ImageCodec:
    """Returns a codec, which stays loaded.

    Args:
        model: Its id, or the folder of an exported model.

    Raises:
        ModelError: If there is no such model, or it is damaged.
    """
    if model in CLASSICAL_CODECS:
        return model_folders.load_classical(model)
    return _load(model_folders.find(model))


def load_by_id(codec_id: str) -> ImageCodec:
    """Returns the codec that a file names, by its id: a file must not choose a folder.

    Raises:
        ModelError: As from `load_model`.
    """
    if codec_id in CLASSICAL_CODECS:
        return model_folders.load_classical(codec_id)
    return _load(model_folders.find_by_id(codec_id))


def load_keras(model: str = model_folders.DEFAULT) -> tf.keras.Model:
    """Returns the trained Keras model in float32, to train it further.

    That of a codec is a `codecs.base.Codec`: `fit` trains it, and `analysis` and
    `synthesis` are its transforms. That of a filter is the filter alone.

    Args:
        model: Its id, or the folder of an exported model.

    Raises:
        ModelError: If there is no such model, or its folder has no weights.
    """
    from tf_imgcomp.runs.keras_models import load_trained

    if model in CLASSICAL_CODECS:
        raise ModelError(f"{model!r} is a classical codec: it has no Keras model")
    return load_trained(model_folders.find(model))


def export_keras(
    model: tf.keras.Model, folder: PathLike, card: dict[str, Any] | None = None
) -> None:
    """Exports a Keras model as one that `compress` takes, in place of an old one.

    Args:
        model: A codec, or a filter, as `load_keras` returns them.
        folder: The folder to write. Its name becomes the model's id. That of a filter
            is CODEC+NAME, as in `bpg+mine`.
        card: Facts for its card, such as `licence`, `data` and `data_licence`.

    Raises:
        TypeError: If the model is no codec and no filter of this package.
        ValueError: If the folder's name cannot be an id.
        OSError: If it cannot be written.
    """
    from tf_imgcomp.runs.keras_models import export_trained

    export_trained(model, Path(folder), card or {})


def _load(folder: Path) -> ImageCodec:
    with _LOADING:
        return _loaded(folder.resolve(), read_card(folder)["fingerprint"])


@functools.cache
def _loaded(folder: Path, fingerprint: int) -> ImageCodec:
    """A codec; one that was exported again has another fingerprint."""
    del fingerprint
    return model_folders.load_folder(folder)


def _load_to_compress(model: str, effort: int) -> tuple[ImageCodec, list[ImageCodec]]:
    """The codec that a user names, and others to try, see `choice.load`."""
    return choice.load(model, lambda name: load_model(name).with_effort(effort))


def _codec_of(file: TfciFile, model: str | None) -> ImageCodec:
    return load_by_id(file.codec) if model is None else load_model(model)


def _for_each(work: Callable[[Any], Any], items: Any) -> Any:
    # A comprehension would be one more frame for `_warn`, before Python 3.12.
    return list(map(work, items)) if isinstance(items, list) else work(items)


def _read(
    image: ImageLike, needed_memory: Callable[[int, int], float], max_pixels: int
) -> Photo:
    if isinstance(image, np.ndarray):
        return arrays.photo_of_array(image, needed_memory)
    if isinstance(image, Image.Image):
        return images.read_pillow_image(image, needed_memory)
    if isinstance(image, (str, os.PathLike)):
        return images.read_image(Path(image), needed_memory, max_pixels)
    raise TypeError(
        "Expected a NumPy array, a Pillow image, a path or a list of these, received "
        f"{type(image).__name__}."
    )


def _bytes(data: Data) -> bytes:
    if isinstance(data, (str, os.PathLike)):
        return Path(data).read_bytes()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise TypeError(
        f"Expected bytes, a path or a list of these, received {type(data).__name__}."
    )


def _part(
    region: tuple[int, int, int, int] | None, scale: float
) -> tuple[Region | None, int]:
    """The region, and how many times smaller than the image the result is."""
    if scale not in _SCALES:
        raise ValueError(
            f"Expected a scale of 1, 1/2, 1/4, 1/8 or 1/16, received {scale}."
        )
    if region is None:
        return None, _SCALES[scale]
    if scale != 1:
        raise ValueError("Expected a region or a scale, received both.")
    try:
        left, top, width, height = map(operator.index, region)
    except (TypeError, ValueError):
        raise ValueError(
            "Expected a region (left, top, width, height) in whole pixels, received "
            f"{region}."
        ) from None
    return Region(top, left, height, width), 1


def _warn(notes: Iterable[str]) -> None:
    for note in notes:
        warnings.warn(note, stacklevel=5)  # Where the public function is called.
