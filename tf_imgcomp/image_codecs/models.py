"""Finding and loading codecs, by id or by folder."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tf_imgcomp.errors import ModelError
from tf_imgcomp.image_codecs.classical import QPS, ClassicalImageCodec
from tf_imgcomp.image_codecs.filtered import FilteredCodec, SavedFilter
from tf_imgcomp.image_codecs.interface import ImageCodec
from tf_imgcomp.image_codecs.learned import LearnedCodec
from tf_imgcomp.model_folder import CARD, read_card

DEFAULT = "fdram"


def _folders() -> Iterator[Path]:
    """Search path for models: the user's folders, a checkout, an installed package."""
    own = os.environ.get("TF_IMGCOMP_MODELS", "").split(os.pathsep)
    yield from map(Path, filter(None, own))
    yield Path(__file__).parents[2] / "saved_models"
    yield Path(sys.prefix) / "share" / "tf_imgcomp" / "saved_models"


def available() -> list:
    """The ids of all models found, sorted."""
    return sorted({card.parent.name for card in _cards()})


def _cards() -> Iterator[Path]:
    for folder in _folders():
        yield from folder.glob(f"*/{CARD}")


def load_by_id(codec_id: str) -> ImageCodec:
    """Loads the codec that a file names, from the models' folders only.

    Raises:
        ModelError: If there is no such model, or it is damaged.
    """
    for card in _cards():
        if card.parent.name == codec_id:
            return _load_folder(card.parent)
    there = ", ".join(available()) or "none"
    raise ModelError(f"needs model {codec_id!r}; there are: {there}")


def load(model: str = DEFAULT) -> ImageCodec:
    """Loads the codec that a user names.

    Args:
        model: its id or its folder. `./NAME` is the folder even if NAME is an id.

    Raises:
        ModelError: As from `load_by_id`.
    """
    if model not in available() and Path(model).is_dir():
        return _load_folder(Path(model))
    return load_by_id(model)


def _load_folder(folder: Path) -> ImageCodec:
    """Loads a codec, or a filter with the codec before the + in its id."""
    if "postfilter" not in read_card(folder):
        return LearnedCodec(folder)
    postfilter = SavedFilter(folder)
    base = postfilter.id.partition("+")[0]
    codec = ClassicalImageCodec(base) if base in QPS else load_by_id(base)
    return FilteredCodec(codec, postfilter)
