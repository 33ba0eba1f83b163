"""A post-filter's tiles, filtered by a server."""

from __future__ import annotations

import numpy as np

from tf_imgcomp.client.connection import Connection
from tf_imgcomp.client.remote_codec import BYTES_PER_PIXEL
from tf_imgcomp.client.results import checked
from tf_imgcomp.postfilter.ensembles import signature


class RemoteFilter:
    """See `image_codecs.tile_coder.TileFilter`.

    Args:
        server: the server.
        card: of the filter, from the server.
    """

    bytes_per_pixel = BYTES_PER_PIXEL

    def __init__(self, server: Connection, card: dict):
        self._server, self.card = server, card
        self.id: str = card["id"]
        self.fingerprint: int = card["fingerprint"]
        self.tile: int = card["tile"]
        self.border: int = card["border"]

    def __call__(
        self, pixels: np.ndarray, setting: float, ensemble: str = "none"
    ) -> np.ndarray:
        """See `SavedFilter`."""
        made = self._server.call(
            self.id,
            f"{signature(ensemble)}_tiles",
            images=pixels[None],
            qp=np.array([setting], np.float32),
        )
        shape = 1, *pixels.shape
        return checked(self._server.url, made, "images", np.uint8, shape)[0]
