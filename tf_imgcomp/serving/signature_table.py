"""A table of the signatures of an export, for its card."""

import tensorflow as tf


def describe(signatures: dict) -> dict:
    """Inputs and outputs of functions by name, each as a text like `float32 [?, 4]`.

    Args:
        signatures: concrete functions by name.
    """
    return {
        name: {
            "inputs": {
                spec.name: _text(spec)
                for spec in tf.nest.flatten(function.structured_input_signature)
            },
            "outputs": {
                key: _text(spec) for key, spec in function.structured_outputs.items()
            },
        }
        for name, function in signatures.items()
    }


def _text(spec: tf.TensorSpec) -> str:
    sizes = ", ".join("?" if size is None else str(size) for size in spec.shape)
    return f"{spec.dtype.name} [{sizes}]"
