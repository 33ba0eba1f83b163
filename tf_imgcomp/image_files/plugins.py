"""Packages that add formats to Pillow. They are imported when a file needs them."""

from __future__ import annotations

import importlib
import importlib.metadata
from dataclasses import dataclass

from tf_imgcomp.errors import ImageError


@dataclass(frozen=True)
class Plugin:
    """A package whose import adds a format to Pillow.

    Attributes:
        title: Name of the format.
        package: Name of the package on PyPI.
        module: Module to import.
        install: How a user installs the package.
    """

    title: str
    package: str
    module: str
    install: str

    @property
    def version(self) -> str:
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def load(self) -> None:
        """Adds the format; raises ImageError if the package is missing."""
        try:
            importlib.import_module(self.module)
        except ImportError:
            raise ImageError(
                f"{self.title} needs another package: {self.install}"
            ) from None

    def missing(self) -> str | None:
        """Returns None, or a message for the user that names the missing package."""
        try:
            self.load()
        except ImageError as error:
            return str(error)
        return None


HEIF = Plugin(
    "HEIC", "pillow-heif", "pillow_heif.HeifImagePlugin", "pip install pillow-heif"
)
JXL = Plugin(
    "JPEG XL",
    "pillow-jxl-plugin",
    "pillow_jxl",
    "install tf_imgcomp with its extra 'jxl'",
)
