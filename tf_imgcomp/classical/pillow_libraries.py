"""The libraries behind Pillow's formats: some are part of it, others are plug-ins."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.metadata

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


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A package that adds a format to Pillow.

    Attributes:
        package: Its name on PyPI.
        module: Module whose import registers the format.
    """

    package: str
    module: str

    @property
    def version(self) -> str:
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def missing(self) -> str | None:
        """Returns None, or a message for the user that names the missing library."""
        try:
            self.load()
        except ImportError:
            return (
                f"{self.package} is not installed: install tf_imgcomp with its extra "
                "'classical'"
            )
        return None

    def load(self) -> None:
        """Registers the format with Pillow."""
        importlib.import_module(self.module)
