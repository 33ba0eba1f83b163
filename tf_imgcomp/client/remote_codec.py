"""A learned codec's tiles, coded by a server."""

from __future__ import annotations

from typing import Any

import numpy as np

from tf_imgcomp.client.connection import Connection
from tf_imgcomp.client.remote_model import RemoteModel
from tf_imgcomp.client.results import checked, string, text
from tf_imgcomp.errors import BitstreamError, ModelError, ServerError
from tf_imgcomp.image_codecs.effort import FAST
from tf_imgcomp.image_codecs.interface import Coded
from tf_imgcomp.image_codecs.tiles import LATENT


class RemoteTileCoder(RemoteModel):
    """See `image_codecs.tile_interface.TileCoder`."""

    has_importance = False  # No signature gives it.

    def __init__(self, server: Connection, card: dict):
        super().__init__(server, card)
        self.reach: int | None = card.get("reach")
        self._depths: dict[str, int] = {}  # All tiles of an image have the same.

    def compress(self, pixels: np.ndarray, crop: np.ndarray, quality: float) -> Coded:
        """See `TileModel`."""
        hundredths = np.rint(np.float32(quality) * np.float32(100))
        quality = int(hundredths) / 100  # As in the graph.
        coded = self._call(
            "compress_tiles", quality, images=pixels[None], crop=crop[None]
        )
        url = self._server.url
        refusal = text(url, coded, "error")
        if refusal:
            raise ServerError(f"{url}: {refusal}")
        first, rest = (string(url, coded, name) for name in ("first", "rest"))
        return Coded((first,), (rest,), quality)

    def decode(
        self, first: bytes, rest: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray:
        """See `TileModel`."""
        parts = {"first": _string(first), "rest": _string(rest)}
        return self._decoded("decode_tiles", parts, rows, columns, quality)

    def decode_first(
        self, first: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray:
        """See `TileModel`."""
        parts = {"first": _string(first)}
        return self._decoded("decode_first_tiles", parts, rows, columns, quality)

    def synthesis(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float
    ) -> np.ndarray:
        """See `TileModel`."""
        y_hat = y_hat[None].astype(np.float32)
        made = self._call("synthesize_tiles", quality, y_hat=y_hat)
        return self._image(made, y_hat, crop, 1)

    def preview(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float, factor: int
    ) -> np.ndarray:
        """See `TileModel`."""
        y_hat, factors = y_hat[None].astype(np.float32), np.array([factor], np.int32)
        made = self._call("preview_tiles", quality, y_hat=y_hat, factor=factors)
        return self._image(made, y_hat, crop, factor)

    def analysis(
        self, pixels: np.ndarray, crop: np.ndarray, quality: float
    ) -> dict[str, np.ndarray]:
        """See `TileModel`: not on a server."""
        raise ModelError(f"model {self.id!r} on a server gives no latents to refine")

    def encode(self, y_hat: np.ndarray, z_hat: np.ndarray, quality: float) -> Coded:
        """See `TileModel`: not on a server."""
        raise ModelError(f"model {self.id!r} on a server codes no refined latents")

    def refinement(self) -> tuple[Any, np.ndarray]:
        """See `TileModel`: not on a server."""
        raise ModelError(f"model {self.id!r} on a server has no effort above {FAST}")

    def _decoded(
        self, signature: str, parts: dict, rows: int, columns: int, quality: float
    ) -> np.ndarray:
        rows_columns = np.array([[rows], [columns]], np.int32)
        sizes = dict(zip(("rows", "columns"), rows_columns))
        decoded = self._call(signature, quality, **parts, **sizes)
        url = self._server.url
        refusal = text(url, decoded, "error")
        if refusal:
            raise BitstreamError(refusal)
        shape = 1, rows, columns, self._depths.get(signature)
        y_hat = checked(url, decoded, "y_hat", np.float32, shape)
        self._depths[signature] = y_hat.shape[-1]
        return y_hat[0]

    def _image(
        self, made: dict, y_hat: np.ndarray, crop: np.ndarray, factor: int
    ) -> np.ndarray:
        """The pixels that a server made of latents, without their surroundings."""
        _, rows, columns, _ = y_hat.shape
        height, width = (LATENT * size // factor for size in (rows, columns))
        shape = 1, height, width, 3
        images = checked(self._server.url, made, "images", np.uint8, shape)
        top, bottom, left, right = LATENT * crop // factor
        return images[0, top : height - bottom, left : width - right]

    def _call(
        self, signature: str, quality: float, **inputs: np.ndarray
    ) -> dict[str, np.ndarray]:
        inputs["quality"] = np.array([quality], np.float32)
        return self._server.call(self.id, signature, **inputs)


def _string(data: bytes) -> np.ndarray:
    array = np.empty(1, object)
    array[0] = data
    return array
