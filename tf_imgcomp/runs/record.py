"""The settings of a run, so that it resumes with no others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tf_imgcomp.atomic_files import write_atomically
from tf_imgcomp.errors import ImgcompError

RECORD = "run.json"
# A run may become longer, or go on where another precision is fast. Everything else
# would mix two runs.
_MAY_CHANGE = {
    "optimization.steps",
    "optimization.learning_rate",
    "precision",
    "validate_every",
    "validation_photos",
}


def check_settings(
    folder: Path, settings: dict, resumes: bool, report: Callable[[str], None]
) -> None:
    """Compares settings with those in the record of a run, then records them.

    Settings that only one of the two has are not compared: versions may differ.

    Args:
        folder: of the run. Its record is `run.json`.
        settings: values by name, as JSON has them; dicts may be nested.
        resumes: whether the run has a checkpoint. If not, any settings are right.
        report: takes a line for each setting that differs and may differ.

    Raises:
        ImgcompError: If a setting differs that must not, or the record is damaged.
    """
    path = Path(folder) / RECORD
    text = json.dumps(settings, indent=1) + "\n"
    if resumes and path.exists():
        before, now = dict(_flat(_read(path))), dict(_flat(json.loads(text)))
        for name in before.keys() & now.keys():
            if before[name] == now[name]:
                continue
            difference = f"{name} was {before[name]!r} and is now {now[name]!r}"
            if name not in _MAY_CHANGE:
                raise ImgcompError(
                    f"{folder} cannot be resumed: {difference}; set it back, or train "
                    "in another folder"
                )
            report(f"resumed: {difference}")
    write_atomically(path, text.encode(), overwrite=True)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ImgcompError(
            f"{path} is damaged: delete it to resume without a check of the settings"
        ) from None


def _flat(settings: dict, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names with dots, and values."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
