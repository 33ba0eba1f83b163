"""The interface of everything that codes the pixels of `.tfci` files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tf_imgcomp import bitstream, size_limits
from tf_imgcomp.bitstream import TfciFile
from tf_imgcomp.errors import BitstreamError, ModelError
from tf_imgcomp.image_codecs.effort import FAST, iterations
from tf_imgcomp.image_files import images
from tf_imgcomp.regions import Region

SCALES = (1, 2, 4, 8, 16)  # A preview is smaller by one of these.


@dataclass(frozen=True)
class Coded:
    """A coded image.

    Attributes:
        first: Bytes of each tile in the first part of a file, row by row.
        rest: Bytes of each tile in the second part. None if the codec has one part
            only, or if only a preview is decoded.
        quality: float in [1, 100], the quality used, a multiple of 0.01.
        variant: int in [0, 255], the codec's choice of a way to decode.
    """

    first: tuple[bytes, ...]
    rest: tuple[bytes, ...] | None
    quality: float
    variant: int = 0

    @classmethod
    def of(cls, file: TfciFile) -> Coded:
        """The coded image in a file."""
        return cls(file.first, file.rest, file.quality, file.variant)


class ImageCodec(ABC):
    """Codes images of any size at any quality: learned, filtered or classical.

    It is a `classical.FileCodec`, too: settings are qualities, and files are `.tfci`
    files of the pixels alone.

    Attributes:
        id: its name in files.
        fingerprint: 16 bits of a hash of weights, tables and constants, in files too; 0
            if it has none.
        tile: side of a tile in pixels; 0: an image is one tile.
    """

    id: str
    fingerprint: int
    tile: int = 0

    settings: tuple[float, ...] = (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    all_settings: Sequence[float] = range(1, 101)

    @property
    def name(self) -> str:
        """See `classical.FileCodec`: the id."""
        return self.id

    @property
    def title(self) -> str:
        """See `classical.FileCodec`: the id."""
        return self.id

    @property
    def version(self) -> str:
        """See `classical.FileCodec`: tells the weights."""
        return f"weights of fingerprint {self.fingerprint}"

    def available(self) -> str | None:
        """See `classical.FileCodec`: nothing is missing."""
        return None

    def encode(self, pixels: np.ndarray, setting: float) -> bytes:
        """See `classical.FileCodec`."""
        height, width, _ = pixels.shape
        coded = self.compress(pixels, setting)
        return bitstream.pack(self.to_file(coded, height, width))

    def decode(self, data: bytes) -> np.ndarray:
        """See `classical.FileCodec`."""
        return self.from_file(bitstream.unpack(data))

    def to_file(self, coded: Coded, height: int, width: int) -> TfciFile:
        """The `.tfci` file of a coded image, in colour, opaque, without metadata.

        Args:
            coded: What `compress` returned.
            height, width: of the image, in pixels.
        """
        return TfciFile(
            codec=self.id,
            fingerprint=self.fingerprint,
            height=height,
            width=width,
            quality=coded.quality,
            tile=self.tile,
            first=coded.first,
            rest=coded.rest,
            variant=coded.variant,
        )

    def from_file(
        self, file: TfciFile, region: Region | None = None, scale: int = 1
    ) -> np.ndarray:
        """Decodes the pixels in a `.tfci` file.

        Args:
            file: The file.
            region: The part of the image to return. None: all.
            scale: One of `SCALES`; above 1 for a preview of the whole image, see
                `preview`.

        Returns:
            Pixels, uint8 `(h, w, 3)`.

        Raises:
            ModelError: If the file was written with other weights than the codec's.
            ImageError: If the region is not inside of the image, or does not fit into
                memory.
            BitstreamError: If the file does not decode to what was encoded.
            ValueError: If there is no such scale, or for a region in another scale.
        """
        if scale not in SCALES or (region is not None and scale > 1):
            raise ValueError(
                f"Expected one of {SCALES} as scale, 1 with a region, received {scale}."
            )
        self._check(file)
        height, width, coded = file.height, file.width, Coded.of(file)
        if region is not None:
            region.check_inside(height, width)
        size = file.decoded_size(region)
        size_limits.check_memory(*size, self.memory_to_decompress(*size))
        if scale > 1:
            pixels = self.preview(coded, height, width, scale)
        else:
            pixels = self.decompress(coded, height, width, region)
        return images.grey_pixels(pixels) if file.grey else pixels

    def _check(self, file: TfciFile) -> None:
        """Raises an error if the codec did not write a file."""
        if file.fingerprint != self.fingerprint:
            raise ModelError(
                f"needs model {file.codec!r} with fingerprint {file.fingerprint}, "
                f"the one here has {self.fingerprint}"
            )
        if file.tile != self.tile:
            raise BitstreamError(
                f"expected tiles of {self.tile} pixels, received {file.tile}"
            )

    @abstractmethod
    def memory_to_compress(self, height: int, width: int) -> float:
        """Peak memory in bytes, files included, to refuse images that do not fit."""

    @abstractmethod
    def memory_to_decompress(self, height: int, width: int) -> float:
        """The same of decompressing."""

    @abstractmethod
    def compress(self, pixels: np.ndarray, quality: float) -> Coded:
        """Codes an image.

        Args:
            pixels: uint8 `(h, w, 3)`, any size from 1x1.
            quality: float in [1, 100].
        """

    @abstractmethod
    def decompress(
        self, coded: Coded, height: int, width: int, region: Region | None = None
    ) -> np.ndarray:
        """Decodes an image.

        Args:
            coded: What `compress` returned.
            height, width: of the image, in pixels.
            region: The part of the image to return, inside of it. None: all.

        Returns:
            Pixels, uint8 `(h, w, 3)`.

        Raises:
            BitstreamError: If the bytes are not what an encoder writes, or decode to
                other latents than were encoded, or if the second part is missing.
        """

    def preview(self, coded: Coded, height: int, width: int, scale: int) -> np.ndarray:
        """Decodes a smaller image, from the first part if the codec has two.

        Args:
            coded: What `compress` returned; `rest` is not needed.
            height, width: of the image, in pixels.
            scale: One of `SCALES` above 1.

        Returns:
            Pixels, uint8 `(ceil(h / scale), ceil(w / scale), 3)`.

        Raises:
            BitstreamError: If the bytes are not what an encoder writes.
        """
        pixels = self.decompress(coded, height, width)
        return np.asarray(Image.fromarray(pixels).reduce(scale))

    def setting(self, quality: float) -> float:
        """Native setting for a quality: the quality itself, or a QP.

        Equal settings give equal files. A filter after the codec is told the setting.
        """
        return quality

    def for_trials(self) -> ImageCodec:
        """A faster codec to search for a size.

        Its files are never shorter than those of this codec. They are longer by the
        byte that names a filter, or by the bytes that refinement would save.
        """
        return self

    def faster(self) -> ImageCodec:
        """The codec with a faster and worse encoder, to look for a quality roughly."""
        return self

    def without_refinement(self) -> ImageCodec:
        """The codec at the default effort, to search for a quality."""
        return self

    def with_effort(
        self, effort: int, progress: Callable[[Iterable], Iterable] = iter
    ) -> ImageCodec:
        """The codec with an encoder that works with another effort.

        Args:
            effort: from 1 to 9, see `effort.ITERATIONS`.
            progress: wraps the tiles of an image, or the iterations if it has one
                tile.

        Raises:
            ValueError: If there is no such effort.
            ModelError: If the codec does not have this effort.
        """
        del progress
        if iterations(effort):
            raise ModelError(
                f"{self.id!r} is no learned codec: it has no effort above {FAST}"
            )
        return self

    def with_ensemble(self, ensemble: str) -> ImageCodec:
        """The codec, its encoder trying an ensemble of filter results, too.

        Args:
            ensemble: key of `postfilter.ensembles.ENSEMBLES`.

        Raises:
            ModelError: If the codec has no filter.
        """
        raise ModelError(
            f"model {self.id!r} has no filter, which ensemble {ensemble!r} needs"
        )

    def importance(self, pixels: np.ndarray, quality: float) -> np.ndarray | None:
        """The learned importance map, float32 `(H / 16, W / 16)`, 0 to 1.

        None if the codec has no such map. Arguments are those of `compress`.
        """
        del pixels, quality
        return None

    def latents(self, coded: Coded, height: int, width: int) -> np.ndarray | None:
        """The decoded latents y_hat, float32 `(1, H / 16, W / 16, c)`, integers.

        None if the codec has no latents. Arguments and errors are those of
        `decompress`.
        """
        del coded, height, width
        return None
