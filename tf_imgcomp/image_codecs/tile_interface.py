"""Interfaces through which `LearnedCodec` and `FilteredCodec` run a model on a tile.

`tile_coding.TileModel` and `tile_filtering.SavedFilter` run a SavedModel in this
process; `client.remote_codec` and `client.remote_filter` ask a server.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tf_imgcomp.image_codecs.interface import Coded


class TileWorker(Protocol):
    """A model; its attributes are those of `TileModel` and `SavedFilter`."""

    id: str
    card: dict
    fingerprint: int
    bytes_per_pixel: float
    encoder_base: float
    decoder_base: float
    tile: int
    border: int


class TileCoder(TileWorker, Protocol):
    """Codes tiles; all else is as in `tile_coding.TileModel`."""

    reach: int | None

    @property
    def has_importance(self) -> bool: ...

    def compress(
        self, pixels: np.ndarray, crop: np.ndarray, quality: float
    ) -> Coded: ...

    def analysis(
        self, pixels: np.ndarray, crop: np.ndarray, quality: float
    ) -> dict[str, np.ndarray]: ...

    def encode(self, y_hat: np.ndarray, z_hat: np.ndarray, quality: float) -> Coded: ...

    def refinement(self) -> tuple[Any, np.ndarray]: ...

    def decode(
        self, first: bytes, rest: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray: ...

    def decode_first(
        self, first: bytes, rows: int, columns: int, quality: float
    ) -> np.ndarray: ...

    def synthesis(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float
    ) -> np.ndarray: ...

    def preview(
        self, y_hat: np.ndarray, crop: np.ndarray, quality: float, factor: int
    ) -> np.ndarray: ...


class TileFilter(TileWorker, Protocol):
    """Filters tiles, as `tile_filtering.SavedFilter` does."""

    def __call__(
        self, pixels: np.ndarray, setting: float, ensemble: str = "none"
    ) -> np.ndarray: ...
