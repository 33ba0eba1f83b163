"""One table of all post-filters."""

import tensorflow as tf

from tf_imgcomp.errors import ModelError
from tf_imgcomp.postfilter.xue2019 import Xue2019, Xue2019Config

# Name in flagfiles: class and the dataclass of its sizes.
POSTFILTERS = {"xue2019": (Xue2019, Xue2019Config)}


def new_postfilter(name: str, sizes: dict) -> tf.keras.Model:
    """An untrained filter, built.

    Args:
        name: one of `POSTFILTERS`.
        sizes: fields of its config that are not default.

    Raises:
        ModelError: If there is no such filter, or it has no such sizes.
    """
    if name not in POSTFILTERS:
        raise ModelError(f"no filter {name!r}; there are: {', '.join(POSTFILTERS)}")
    filter_class, config_class = POSTFILTERS[name]
    try:
        config = config_class(**sizes)
    except TypeError as error:
        raise ModelError(f"sizes {sizes} are not those of {name}: {error}") from error
    postfilter = filter_class(config, name=name)
    postfilter(tf.zeros((1, 64, 64, 3)), tf.constant([config.setting_min]))
    return postfilter
