"""The signature that tells a client which model a server has."""

import json

import tensorflow as tf

from tf_imgcomp.ops.graphs import graph_function

_ID = tf.TensorSpec([None], tf.string, "ids")


def card_signature(card: dict) -> tf.types.experimental.GenericFunction:
    """A function that returns a model's card.

    A client needs the fingerprint and the size of tiles, and a server does not serve
    the file `card.json`. TensorFlow Serving wants an input of every signature:

        card    ids string [b], of the model that the client expects
                -> cards string [b], JSON; error string [b]

    Args:
        card: the model card.
    """
    text, codec = json.dumps(card), card["id"]

    def cards(ids):
        is_it = tf.equal(ids, codec)
        message = f"this model is {codec}"
        return {
            "cards": tf.where(is_it, text, ""),
            "error": tf.where(is_it, "", message),
        }

    return graph_function(cards, [_ID])
