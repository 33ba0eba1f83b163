"""The kinds of models that training makes: how each is made, measured and exported.

A card says which kind a model is by its key, `codec` or `postfilter`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tf_imgcomp.codecs.registry import new_codec
from tf_imgcomp.data.patches import PAIRS, PHOTOS, Sampling
from tf_imgcomp.export import codec as codec_export
from tf_imgcomp.export import postfilter as postfilter_export
from tf_imgcomp.losses.rate_distortion import lagrangian
from tf_imgcomp.postfilter.registry import new_postfilter
from tf_imgcomp.training.restoration import RestorationGain
from tf_imgcomp.training.validation import RealBits


class Product(NamedTuple):
    """A kind of model.

    Attributes:
        new: function of a name and of sizes that gives an untrained model.
        validation: function of a model, photos and the cost that a codec is judged by
            (see `RealBits`; the usual, if left out) that gives a function of nothing,
            whose result is a dict of figures.
        export: function of a model, a folder and a card that writes the SavedModel.
        sampling: what the images that it learns from are.
    """

    new: Callable
    validation: Callable
    export: Callable
    sampling: Sampling


PRODUCTS = {
    "codec": Product(
        new_codec,
        lambda codec, photos, cost=lagrangian: RealBits(
            codec, photos, codec_export.CodecModule, cost
        ),
        codec_export.export,
        PHOTOS,
    ),
    "postfilter": Product(
        new_postfilter,
        lambda postfilter, photos, cost=None: RestorationGain(postfilter, photos),
        postfilter_export.export,
        PAIRS,
    ),
}


def kind(card: dict) -> str:
    """The key of `PRODUCTS` that a card has."""
    return next(key for key in PRODUCTS if key in card)
