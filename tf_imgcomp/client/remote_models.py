"""Codecs whose transforms and entropy coding run on a server."""

from __future__ import annotations

from tf_imgcomp.client.connection import Connection
from tf_imgcomp.client.remote_codec import RemoteTileCoder
from tf_imgcomp.client.remote_filter import RemoteFilter
from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.models import DEFAULT, codec_before, load_classical
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.model_folder import is_id


def load(
    server: Connection, model: str = DEFAULT, workers: Workers | None = None
) -> ImageCodec:
    """A codec on a server.

    Classical codecs run in the client, even if their filter is on the server.

    Args:
        server: the server.
        model: its id there, or the name of a classical codec.
        workers: ask for the tiles of images side by side; None: one thread for each
            core, at most three.

    Raises:
        ModelError: If the server does not have the model.
        ServerError: If it does not answer.
    """
    if model in CLASSICAL_CODECS:
        return load_classical(model)
    if not is_id(model):
        raise ModelError(
            f"expected the id of a model on {server.url}, received {model!r}"
        )
    card, workers = server.card(model), workers or Workers()
    if "postfilter" not in card:
        return LearnedCodec(RemoteTileCoder(server, card), workers)
    codec = load(server, codec_before(model, server.url), workers)
    return FilteredCodec(codec, RemoteFilter(server, card), workers)
