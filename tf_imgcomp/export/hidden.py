"""An attribute of a module that is not saved with it."""


class Hidden:
    """Hides an attribute of a `tf.Module`, which then does not save it."""

    def __init__(self, value):
        self.value = value
