"""The SavedModel of a learned codec: pixels of one tile to bytes and back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tf_imgcomp import weights_file
from tf_imgcomp.errors import BitstreamError, ModelError
from tf_imgcomp.image_codecs import range_coder_ops, tile_parts
from tf_imgcomp.image_codecs.effort import FAST
from tf_imgcomp.image_codecs.interface import Coded
from tf_imgcomp.model_folder import (
    REFINEMENT,
    WEIGHTS,
    ExportedModel,
    memory_errors,
    packed_weights,
)
from tf_imgcomp.size_limits import DECODER_BASE, ENCODER_BASE

# An error weight so large that each latent keeps its nearest integer, except where the
# tables take 0 for certain.
_NO_CHOICE = np.float32(1e6)


class TileModel(ExportedModel):
    """An exported codec; making one imports TensorFlow.

    `crop` is int32 `(4,)`: latents at top, bottom, left and right that are surroundings
    of the tile. See `export.codec`.

    Args:
        folder: a folder that `export.codec.export` wrote.

    Attributes:
        encoder_base, decoder_base: peak memory of the first tile, whatever its size.
        reach: latents around a position that its pixels depend on; None: all that the
            synthesis sees.

    Raises:
        ModelError: If the folder does not hold an intact model, or if
            tensorflow-compression is not installed.
    """

    decoder_base = DECODER_BASE

    def __init__(self, folder: Path):
        super().__init__(folder)
        import tensorflow as tf

        range_coder_ops.register()
        self._tf = tf
        self.encoder_base: float = self.card.get("encoder_base") or ENCODER_BASE
        self.reach: int | None = self.card.get("reach")
        self._model = self.load()

    @property
    def has_importance(self) -> bool:
        """Whether `analysis` gives an importance map."""
        return "importance" in self._model.analysis.outputs

    def compress(self, pixels: np.ndarray, crop: np.ndarray, quality: float) -> Coded:
        """Codes a tile.

        Args:
            pixels: uint8 `(h, w, 3)`, the tile and its surroundings.
            crop: latents to cut at top, bottom, left and right.
            quality: float in [1, 100].
        """
        with memory_errors():
            coded = self._model.compress(image=pixels, crop=crop, quality=quality)
        return _coded_tile(coded, int(coded["quality"]) / 100)

    def analysis(
        self, pixels: np.ndarray, crop: np.ndarray, quality: float
    ) -> dict[str, np.ndarray]:
        """The latents y and z before rounding, float32, and the importance if any.

        Arguments are those of `compress`.
        """
        with memory_errors():
            latents = self._model.analysis(
                image=pixels, crop=crop, quality=_hundredths(quality)
            )
        return {name: value.numpy() for name, value in latents.items()}

    def encode(self, y_hat: np.ndarray, z_hat: np.ndarray, quality: float) -> Coded:
        """Codes latents of a tile that are integers already.

        Args:
            y_hat: float32 `(1, rows, columns, c)`, integers.
            z_hat: float32 `(1, rows / 4, columns / 4, n)`, integers.
            quality: float in [1, 100], a multiple of 0.01.
        """
        with memory_errors():
            coded = self._model.encode(
                y=y_hat,
                z=z_hat,
                quality=_hundredths(quality),
                bits_per_error=_NO_CHOICE,
            )
        return _coded_tile(coded, quality)

    def refinement(self) -> tuple[Any, np.ndarray]:
        """What refines latents: its functions, and `trained_weights` for them.

        Raises:
            ModelError: If the folder lacks them, or they are damaged.
        """
        if not (self.folder / REFINEMENT).is_dir():
            raise ModelError(
                f"model {self.id!r} has no folder {REFINEMENT}/, which efforts above "
                f"{FAST} need: take a lower effort, or export the model again"
            )
        return self.load(REFINEMENT), self.trained_weights()

    def trained_weights(self) -> np.ndarray:
        """All weights of the Keras model, one after the other, float16.

        Those that the SavedModel holds come first.

        Raises:
            ModelError: If the folder lacks them, or their file is damaged.
        """
        try:
            arrays = weights_file.read(self.folder / WEIGHTS).values()
        except FileNotFoundError:
            raise ModelError(
                f"model {self.id!r} has no file {WEIGHTS}, which efforts above {FAST} "
                "need: take a lower effort, or export the model again"
            ) from None
        vectors = [*packed_weights(self.folder), *(array.ravel() for array in arrays)]
        return np.concatenate(vectors).astype(np.float16)

    def decode(
        self, first: bytes, rest: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray:
        """Decodes the latents of a tile.

        Args:
            first, rest: the tile's bytes in both parts.
            rows, columns: of the latents, multiples of 4.
            quality: that of `Coded`.

        Returns:
            Integers `(rows, columns, c)`, float32, read-only.

        Raises:
            BitstreamError: If the bytes are not what `compress` returned.
        """
        hundredths = _hundredths(quality)
        decoded = self._decode_first(first, rows, columns, hundredths)
        known = {"psi": decoded["psi"], "y_hat": decoded["y_hat"]}
        decoded = self._decode_part(rest, self._model.rest, hundredths, **known)
        return np.asarray(decoded["y_hat"])[0]

    def decode_first(
        self, first: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray:
        """Decodes the first slice of a tile's latents; see `decode`."""
        decoded = self._decode_first(first, rows, columns, _hundredths(quality))
        return np.asarray(decoded["y_hat"])[0]

    def synthesis(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float
    ) -> np.ndarray:
        """Decoded latents to pixels.

        Args:
            y_hat: integers `(r, c, depth)`, of the tile and its surroundings.
            crop: latents to cut at top, bottom, left and right.
            quality: that of `Coded`.

        Returns:
            uint8, 16 times as many rows and columns as the tile has latents.
        """
        y_hat = y_hat[None].astype(np.float32, copy=False)
        with memory_errors():
            decoded = self._model.synthesis(
                y_hat=y_hat, crop=crop, quality=_hundredths(quality)
            )
        return decoded["image"].numpy()

    def preview(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float, factor: int
    ) -> np.ndarray:
        """The first slice of decoded latents to a small image.

        Args:
            y_hat: integers `(r, c, slices[0])`, of the tile and its surroundings.
            crop: latents to cut at top, bottom, left and right.
            quality: that of `Coded`.
            factor: 1, 2, 4, 8 or 16, how many times smaller.

        Returns:
            uint8, `16 / factor` times as many rows and columns as the tile has latents.
        """
        y_hat = y_hat[None].astype(np.float32, copy=False)
        with memory_errors():
            decoded = self._model.preview(
                y_hat=y_hat, crop=crop, quality=_hundredths(quality), factor=factor
            )
        return decoded["image"].numpy()

    def _decode_first(
        self, first: bytes, rows: int, columns: int, hundredths: np.int64
    ) -> dict:
        size = {"rows": rows, "columns": columns}
        return self._decode_part(first, self._model.first, hundredths, **size)

    def _decode_part(
        self, data: bytes, decode: Callable, hundredths: np.int64, **inputs: Any
    ) -> dict:
        """Outputs of a function for the streams in a part's bytes, checked."""
        tf = self._tf
        checksum, strings = tile_parts.unpack(data)
        try:
            with memory_errors():
                decoded = decode(strings=strings, quality=hundredths, **inputs)
        except tf.errors.OpError as error:
            raise BitstreamError("a tile's streams do not decode") from error
        if not bool(decoded["valid_string_count"]):
            raise BitstreamError("a tile's streams do not decode")
        if int(decoded["checksum"]) != checksum:
            raise BitstreamError(
                "decoded to other latents than were encoded: expected checksum "
                f"{checksum:#06x}, received {int(decoded['checksum']):#06x}"
            )
        return decoded


def _coded_tile(encoded: dict, quality: float) -> Coded:
    """A tile whose streams and checksums a SavedModel returned."""
    checksums = encoded["checksums"].numpy().tolist()
    first, rest = (
        tile_parts.pack(checksum, encoded[part].numpy().tolist())
        for checksum, part in zip(checksums, ("first", "rest"))
    )
    return Coded((first,), (rest,), quality)


def joined(tiles: list[Coded]) -> Coded:
    """A coded image from its coded tiles, which have one quality."""
    first = tuple(part for tile in tiles for part in tile.first)
    rest = tuple(part for tile in tiles for part in tile.rest or ())
    return Coded(first, rest, tiles[0].quality)


def _hundredths(quality: float) -> np.int64:
    return np.int64(round(100 * quality))
