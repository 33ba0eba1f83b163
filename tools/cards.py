"""Brings the cards of the shipped models up to date with docs/results/.

    python tools/cards.py

Takes the points, BD-rates and seconds of each model on Kodak from docs/results/kodak/
into its card.json, and renders card.md. A model without points keeps what its card has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.errors import ImgcompError
from tf_imgcomp.evaluation import collection, comparison
from tf_imgcomp.evaluation.curves import MeanPoint
from tf_imgcomp.model_card import render
from tf_imgcomp.model_folder import CARD, READABLE_CARD, read_card

ROOT = Path(__file__).parents[1]
# Compared with, the strongest first.
RIVALS = ("vvc", "avif444", "bpg444", "jxl", "webp", "jpeg2000", "jpeg")
METRICS = ("psnr", "ms_ssim", "ssimulacra2")


def measured(means: Sequence[MeanPoint], model: str) -> dict[str, Any]:
    """Returns what the tables say about a model, as fields of its card.

    Args:
        means: Mean points of all codecs over Kodak.
        model: Its id.
    """
    points = [point for point in means if point.codec == model]
    if not points:
        return {}
    known = {point.codec for point in means}
    rows = comparison.compare(means, model, [name for name in RIVALS if name in known])
    return {
        "kodak": [
            {
                "setting": point.setting,
                "bpp": round(point.bpp, 4),
                "psnr": round(point.psnr, 4),
                "ms_ssim": round(point.ms_ssim, 4),
            }
            for point in points
        ],
        "bd_rates": {row.anchor: _rates(row) for row in rows if _rates(row)},
        "speed": {
            name: round(mean(getattr(point, name) for point in points), 3)
            for name in ("encode_seconds", "decode_seconds")
        },
    }


def _rates(row: comparison.Comparison) -> dict[str, float]:
    rates = {name: getattr(row, f"bd_rate_{name}") for name in METRICS}
    return {name: round(rate, 1) for name, rate in rates.items() if rate is not None}


def update(models: Path, tables: Path) -> None:
    """Writes both cards of each model.

    Args:
        models: Folder of models.
        tables: Folder of the tables of mean points.

    Raises:
        ValueError: If a table is broken.
        ModelError: If a card is damaged.
    """
    means = collection.read_means(tables)
    for path in sorted(models.glob(f"*/{CARD}")):
        card = {**read_card(path.parent), **measured(means, path.parent.name)}
        text = json.dumps(card, indent=2) + "\n"
        write_atomically(path, text.encode(), overwrite=True)
        readable = render(card).encode()
        write_atomically(path.parent / READABLE_CARD, readable, overwrite=True)


if __name__ == "__main__":
    try:
        update(ROOT / "saved_models", ROOT / "docs" / "results" / "kodak")
    except (ValueError, ImgcompError) as error:
        sys.exit(f"tools/cards.py: {error}")
