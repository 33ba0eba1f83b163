"""The libraries behind Pillow's own formats."""

from __future__ import annotations

import dataclasses

import PIL
from PIL import features


@dataclasses.dataclass(frozen=True)
class Feature:
    """A library that Pillow may have been built with.

    Attributes:
        name: Its name in `PIL.features`.
    """

    name: str

    @property
    def version(self) -> str:
        return f"Pillow {PIL.__version__}, {self.name} {features.version(self.name)}"

    def missing(self) -> str | None:
        """Returns None, or a message for the user that names the missing library."""
        if features.check(self.name):
            return None
        return f"Pillow {PIL.__version__} was built without {self.name} support."

    def load(self) -> None:
        """Does nothing: Pillow knows the format already."""
