"""Keras models that are built from one dataclass of sizes, and tables of them."""

from dataclasses import asdict, dataclass, replace

import tensorflow as tf

from tf_imgcomp.errors import ModelError


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and switches of a model; a subclass adds them as fields."""

    @classmethod
    def from_dict(cls, fields: dict) -> "ModelConfig":
        """The config with these fields, others default.

        JSON has lists where fields are tuples, and people write 14 for 14.0.
        """
        config = cls(**{name: _as_tuple(value) for name, value in fields.items()})
        whole = {
            name: float(value)
            for name, value in vars(config).items()
            if isinstance(value, int) and isinstance(getattr(cls, name, None), float)
        }
        return replace(config, **whole)


class ConfiguredModel(tf.keras.Model):
    """A Keras model that `get_config` and `from_config` copy, precision included.

    A subclass names the dataclass of its sizes, `config_class`.

    Args:
        config: a `config_class`, its fields as a dict, or None for the defaults.
        kwargs: of `tf.keras.Model`: name, and dtype for another precision than the
            global policy's.
    """

    config_class = ModelConfig

    def __init__(self, config=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(config, dict):
            config = self.config_class.from_dict(config)
        self.config = config or self.config_class()

    @property
    def precision(self) -> str:
        """Name of the precision policy: "float32", "mixed_bfloat16" or "float64"."""
        return self.dtype_policy.name

    def get_config(self) -> dict:
        return {
            "name": self.name,
            "dtype": self.precision,
            "config": asdict(self.config),
        }


def config_of(models: dict, what: str, name: str, sizes: dict) -> ModelConfig:
    """The config of a model in a registry.

    Args:
        models: subclasses of `ConfiguredModel` by name.
        what: what they are, for messages.
        name: of one of them.
        sizes: fields of its config that are not default.

    Raises:
        ModelError: If there is no such model, or it has no such sizes.
    """
    if name not in models:
        raise ModelError(f"no {what} {name!r}; there are: {', '.join(models)}")
    try:
        return models[name].config_class.from_dict(sizes)
    except TypeError as error:
        raise ModelError(f"sizes {sizes} are not those of {name}: {error}") from error


def all_sizes(models: dict, what: str, name: str, sizes: dict) -> dict:
    """All fields of a model's config, for its card: defaults may change.

    Arguments and errors as of `config_of`.
    """
    return asdict(config_of(models, what, name, sizes))


def _as_tuple(value):
    """A list as a tuple, and so are the lists in it; other values are unchanged."""
    return tuple(map(_as_tuple, value)) if isinstance(value, (list, tuple)) else value
