"""A model on a server: a connection and the facts of its card."""

from __future__ import annotations

from tf_imgcomp.client.connection import Connection


class RemoteModel:
    """A model on a server.

    Args:
        server: the server.
        card: of the model, from the server.

    Attributes:
        bytes_per_pixel: peak memory here of a tile: its pixels, its latents in float32,
            and messages that hold them.
        encoder_base, decoder_base: what the first tile takes here, whatever its size.
    """

    bytes_per_pixel = 50.0
    # Upper bound, not measured; TensorFlow alone takes less.
    encoder_base = decoder_base = 230e6

    def __init__(self, server: Connection, card: dict):
        self._server, self.card = server, card
        self.id: str = card["id"]
        self.fingerprint: int = card["fingerprint"]
        self.tile: int = card["tile"]
        self.border: int = card["border"]
