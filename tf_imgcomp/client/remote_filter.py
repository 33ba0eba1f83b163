"""A post-filter's tiles, filtered by a server."""

from __future__ import annotations

import numpy as np

from tf_imgcomp.client.remote_model import RemoteModel
from tf_imgcomp.client.results import checked
from tf_imgcomp.postfilter.ensembles import signature


class RemoteFilter(RemoteModel):
    """See `image_codecs.tile_interface.TileFilter`."""

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
