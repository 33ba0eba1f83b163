"""Learned image compression for TensorFlow and Keras.

    data = tf_imgcomp.compress(image, quality=60)  # An array, Pillow image or path.
    image = tf_imgcomp.decompress(data)            # A Pillow image.

The names below are imported when they are used, and TensorFlow when a learned codec is
loaded. `tf_imgcomp.api` documents them. `import tf_imgcomp.pillow_plugin` makes Pillow
read and write `.tfci` files.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tf_imgcomp.api import (
        compress,
        compress_file,
        decompress,
        decompress_file,
        export_keras,
        load_keras,
        load_model,
        models,
    )
    from tf_imgcomp.errors import (
        BitstreamError,
        ClassicalCodecError,
        ImageError,
        ImgcompError,
        ModelError,
    )
    from tf_imgcomp.files.compression import Report
    from tf_imgcomp.image_codecs.catalogue import ModelInfo

__version__ = "0.1.0"

__all__ = [
    "BitstreamError",
    "ClassicalCodecError",
    "ImageError",
    "ImgcompError",
    "ModelError",
    "ModelInfo",
    "Report",
    "__version__",
    "compress",
    "compress_file",
    "decompress",
    "decompress_file",
    "export_keras",
    "load_keras",
    "load_model",
    "models",
]


_MODULES = {"Report": "files.compression", "ModelInfo": "image_codecs.catalogue"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "errors" if name.endswith("Error") else _MODULES.get(name, "api")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
