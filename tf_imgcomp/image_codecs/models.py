"""Finding and loading codecs, by id or by folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.image_codecs.tile_coding import TileModel
from tf_imgcomp.image_codecs.tile_filtering import SavedFilter
from tf_imgcomp.image_codecs.workers import Workers
from tf_imgcomp.model_folder import CARD, is_id, read_card

DEFAULT = "fdram"


def _folders() -> Iterator[Path]:
    """Search path for models: the user's folders, then those of the package."""
    own = os.environ.get("TF_IMGCOMP_MODELS", "").split(os.pathsep)
    yield from map(Path, filter(None, own))
    package = Path(str(resources.files("tf_imgcomp")))
    yield package / "saved_models"  # Installed.
    yield package.parent / "saved_models"  # In a checkout.


def available() -> list[str]:
    """The ids of all models found, sorted."""
    return sorted({card.parent.name for card in _cards()})


def _cards() -> Iterator[Path]:
    for folder in _folders():
        yield from folder.glob(f"*/{CARD}")


def find_by_id(codec_id: str) -> Path:
    """The folder of the codec that a file names, one of the models' folders.

    Raises:
        ModelError: If there is no such model.
    """
    for card in _cards():
        if card.parent.name == codec_id:
            return card.parent
    there = ", ".join(sorted({*available(), *CLASSICAL_CODECS}))
    raise ModelError(
        f"needs model {codec_id!r}; there are: {there}; name your own by its folder"
    )


def find(model: str = DEFAULT) -> Path:
    """The folder of the codec that a user names.

    Args:
        model: its id or its folder. `./NAME` is the folder even if NAME is an id.

    Raises:
        ModelError: If there is no such model.
    """
    if model not in available() and Path(model).is_dir():
        return Path(model)
    return find_by_id(model)


def load_by_id(codec_id: str, workers: Workers | None = None) -> ImageCodec:
    """Loads the codec that a file names: classical, or from the models' folders.

    Args:
        codec_id: its id.
        workers: run the tiles of images; None: `Workers()`.

    Raises:
        ModelError: If there is no such model, or it is damaged.
    """
    if codec_id in CLASSICAL_CODECS:
        return load_classical(codec_id)
    return load_folder(find_by_id(codec_id), workers)


def load(model: str = DEFAULT, workers: Workers | None = None) -> ImageCodec:
    """Loads the codec that a user names.

    Args:
        model: as in `find`, or the name of a classical codec.
        workers: as in `load_by_id`.

    Raises:
        ModelError: As from `load_by_id`.
    """
    if model in CLASSICAL_CODECS:
        return load_classical(model)
    return load_folder(find(model), workers)


def load_folder(folder: Path, workers: Workers | None = None) -> ImageCodec:
    """Loads a codec, or a filter with the codec before the + in its id.

    Args:
        folder: that of an exported model.
        workers: as in `load_by_id`.

    Raises:
        ModelError: If the model is damaged, or the codec before the filter is missing.
    """
    workers = workers or Workers()
    if "postfilter" not in read_card(folder):
        return LearnedCodec(TileModel(folder), workers)
    postfilter = SavedFilter(folder)
    base = codec_before(postfilter.id, str(folder))
    return FilteredCodec(load_by_id(base, workers), postfilter, workers)


def codec_before(postfilter: str, place: str) -> str:
    """The id of the codec before a filter, which the filter's id begins with.

    Args:
        postfilter: the filter's id.
        place: where it is from, for the message.

    Raises:
        ModelError: If the id is not CODEC+NAME.
    """
    base, _, name = postfilter.partition("+")
    if not name or not is_id(base):
        raise ModelError(
            f"{place}: expected CODEC+NAME as a filter's id, received {postfilter!r}"
        )
    return base


def load_classical(name: str) -> ImageCodec:
    """Makes a classical codec.

    Args:
        name: one of `image_codecs.classical.CLASSICAL_CODECS`.

    Raises:
        ModelError: If its library is missing.
    """
    codec = ClassicalImageCodec(name)
    missing = codec.available()
    if missing:
        raise ModelError(f"codec {name!r}: {missing}")
    return codec
