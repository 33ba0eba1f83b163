"""The table of all post-filters."""

import tensorflow as tf

from tf_imgcomp.configured_model import ConfiguredModel, config_of
from tf_imgcomp.postfilter.xue2019 import Xue2019

# Classes by their names in flagfiles and cards.
POSTFILTERS: dict[str, type[ConfiguredModel]] = {"xue2019": Xue2019}


def new_postfilter(name: str, sizes: dict) -> ConfiguredModel:
    """An untrained filter, built.

    Args:
        name: one of `POSTFILTERS`.
        sizes: fields of its config that are not default.

    Raises:
        ModelError: If there is no such filter, or it has no such sizes.
    """
    config = config_of(POSTFILTERS, "filter", name, sizes)
    postfilter = POSTFILTERS[name](config, name=name)
    postfilter(tf.zeros((1, 64, 64, 3)), tf.constant([config.setting_min]))
    return postfilter
