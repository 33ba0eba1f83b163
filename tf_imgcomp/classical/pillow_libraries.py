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
        """Returns None, or what is missing, in a sentence for the user."""
        if features.check(self.name):
            return None
        return f"Pillow {PIL.__version__} was built without {self.name} support."

    def load(self) -> None:
        """Makes the format known to Pillow, which it is."""


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A package that teaches Pillow a format.

    Attributes:
        package: Its name on PyPI.
        module: What is to be imported; that registers the format.
    """

    package: str
    module: str

    @property
    def version(self) -> str:
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def missing(self) -> str | None:
        """Returns None, or what is missing, in a sentence for the user."""
        try:
            self.load()
        except ImportError:
            return (
                f"{self.package} is not installed: pip install 'tf_imgcomp[classical]'"
            )
        return None

    def load(self) -> None:
        """Makes the format known to Pillow."""
        importlib.import_module(self.module)
