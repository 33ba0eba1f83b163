"""Facts about each model from its card, without loading the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tf_imgcomp.image_codecs import models
from tf_imgcomp.image_codecs.classical import BY_FFMPEG, CLASSICAL_CODECS
from tf_imgcomp.model_folder import read_card

_CLASSICAL = "tf_imgcomp[classical]"  # For pip.


@dataclass(frozen=True)
class ModelInfo:
    """A model that is installed.

    Attributes:
        id: Its name in files.
        folder: Where it is.
        family: The design of the codec, or of the filter after another codec.
        num_bytes: Size of its folder, with the weights for fine-tuning.
        encode_seconds, decode_seconds: of a 768x512 image on two cores, means over
            Kodak; None if they were not measured.
        bd_rates: Change of rate at equal PSNR in percent, by the name of the codec
            compared with, over the means of Kodak. Negative: this model needs less.
        requires: Needed beside TensorFlow: a pip requirement, or another model.
        licence: Of its weights; "" if the card does not say it.
        data_licence: Of the images it was trained on; "" if the card does not say it.
    """

    id: str
    folder: Path
    family: str
    num_bytes: int
    encode_seconds: float | None
    decode_seconds: float | None
    bd_rates: dict[str, float]
    requires: tuple[str, ...]
    licence: str
    data_licence: str


def catalogue() -> list[ModelInfo]:
    """All models that are installed, by id.

    Raises:
        ModelError: If a card is damaged.
    """
    return [_info(models.find_by_id(codec_id)) for codec_id in models.available()]


def _info(folder: Path) -> ModelInfo:
    card = read_card(folder)
    speed = card.get("speed", {})
    bd_rates = card.get("bd_rates", {}).items()
    return ModelInfo(
        id=card["id"],
        folder=folder,
        family=card.get("codec") or card.get("postfilter", ""),
        num_bytes=sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        encode_seconds=speed.get("encode_seconds"),
        decode_seconds=speed.get("decode_seconds"),
        bd_rates={name: r["psnr"] for name, r in bd_rates if "psnr" in r},
        requires=requires(card["id"]),
        licence=card.get("licence", ""),
        data_licence=card.get("data_licence", ""),
    )


def requires(codec_id: str) -> tuple[str, ...]:
    """Needs of a codec beside this package: pip requirements, or ids of models."""
    base, plus, _ = codec_id.partition("+")
    if base in CLASSICAL_CODECS:
        return (_CLASSICAL,) if base in BY_FFMPEG else ()
    return (base,) if plus else ()
