"""Finding and loading codecs, by id or by folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs.classical import STREAMS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec, SavedFilter
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_model import TileModel
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.model_folder import CARD, is_id, read_card

DEFAULT = "fdram"


def _folders() -> Iterator[Path]:
    """Search path for models: the user's folders, a checkout, an installed package."""
    own = os.environ.get("TF_IMGCOMP_MODELS", "").split(os.pathsep)
    yield from map(Path, filter(None, own))
    yield Path(__file__).parents[2] / "saved_models"
    yield Path(sys.prefix) / "share" / "tf_imgcomp" / "saved_models"


def available() -> list:
    """The ids of all models found and of the classical codecs, sorted."""
    return sorted({card.parent.name for card in _cards()} | STREAMS.keys())


def _cards() -> Iterator[Path]:
    for folder in _folders():
        yield from folder.glob(f"*/{CARD}")


def load_by_id(codec_id: str, workers: Workers | None = None) -> ImageCodec:
    """Loads the codec that a file names: classical, or from the models' folders.

    Args:
        codec_id: its id.
        workers: run the tiles of images; None: one thread for each core.

    Raises:
        ModelError: If there is no such model, or it is damaged.
    """
    if codec_id in STREAMS:
        return _load_classical(codec_id)
    for card in _cards():
        if card.parent.name == codec_id:
            return _load_folder(card.parent, workers)
    there = ", ".join(available()) or "none"
    raise ModelError(
        f"needs model {codec_id!r}; there are: {there}; your own: --model=FOLDER"
    )


def load(model: str = DEFAULT, workers: Workers | None = None) -> ImageCodec:
    """Loads the codec that a user names.

    Args:
        model: its id or its folder. `./NAME` is the folder even if NAME is an id.
        workers: as in `load_by_id`.

    Raises:
        ModelError: As from `load_by_id`.
    """
    if model not in available() and Path(model).is_dir():
        return _load_folder(Path(model), workers)
    return load_by_id(model, workers)


def _load_folder(folder: Path, workers: Workers | None) -> ImageCodec:
    """Loads a codec, or a filter with the codec before the + in its id."""
    workers = workers or Workers()
    if "postfilter" not in read_card(folder):
        return LearnedCodec(TileModel(folder), workers)
    postfilter = SavedFilter(folder)
    base, plus, _ = postfilter.id.partition("+")
    if not plus or not is_id(base):
        raise ModelError(
            f"{folder}: expected CODEC+NAME as a filter's id, received "
            f"{postfilter.id!r}"
        )
    return FilteredCodec(load_by_id(base, workers), postfilter, workers)


def _load_classical(name: str) -> ImageCodec:
    codec = ClassicalImageCodec(name)
    missing = codec.available()
    if missing:
        raise ModelError(f"codec {name!r}: {missing}")
    return codec
