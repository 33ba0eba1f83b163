"""The table of all models and classical codecs, for people."""

from __future__ import annotations

from collections.abc import Sequence

from tf_imgcomp.image_codecs.catalogue import ModelInfo, requires
from tf_imgcomp.image_codecs.classical import CLASSICAL_CODECS


def model_table(infos: Sequence[ModelInfo], default: str) -> str:
    """Returns a line for each model and each classical codec, below a heading.

    Args:
        infos: The facts about each model.
        default: Id of the model that is marked with a star.
    """
    rivals = list(dict.fromkeys(name for info in infos for name in info.bd_rates))
    rows = [["model", "design", "MB", "s", *rivals, "needs", "licence"]]
    for info in infos:
        rates = [info.bd_rates.get(name) for name in rivals]
        rows.append(
            [
                info.id + "*" * (info.id == default),
                info.family or "-",
                f"{info.num_bytes / 1e6:.1f}",
                _seconds(info),
                *("-" if rate is None else f"{rate:+.1f}" for rate in rates),
                ", ".join(info.requires) or "-",
                info.licence or "-",
            ]
        )
    unknown = ["-"] * (len(rivals) + 2)
    for name, codec in CLASSICAL_CODECS.items():
        needs = ", ".join(requires(name)) or "-"
        rows.append([name, codec.title, *unknown, needs, "-"])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    notes = [
        "",
        "*: the default for photos. s: seconds to compress and to decompress a 768x512 "
        "image, of different machines.",
        "The last rows are classical codecs, whose files go into .tfci files.",
    ]
    if rivals:
        names = ", ".join(rivals)
        notes.append(f"{names}: BD-rates in percent against them, PSNR, Kodak.")
    notes.append("Each model's card.md says what it was trained on, and more.")
    return "\n".join(lines + notes)


def _seconds(info: ModelInfo) -> str:
    if info.encode_seconds is None or info.decode_seconds is None:
        return "-"
    return f"{info.encode_seconds:.2f}, {info.decode_seconds:.2f}"
