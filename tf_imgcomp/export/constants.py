"""The constants of a codec that change files or pixels, for its fingerprint."""

import json
from dataclasses import asdict

from tf_imgcomp.codecs.base import QUALITY_MAX, QUALITY_MIN, Codec
from tf_imgcomp.entropy_coding.integer_coder import QUALITY_STEPS, Z_MAX
from tf_imgcomp.entropy_coding.integer_networks import ACTIVATION_BITS, PARAMETER_BITS
from tf_imgcomp.entropy_coding.range_coder import PRECISION
from tf_imgcomp.entropy_coding.symbol_streams import FIRST_TABLE, INTEGERS_PER_STREAM

# Fields of a config that training or the encoder alone uses. (`bits_per_error` is one,
# too, but the fingerprints of shipped models include it.)
_UNKNOWN_TO_DECODERS = (
    "feedback",
    "feedback_dead_zone",
    "gradient_scale",
    "optional_dead_zone",
    "optional_bits_of_one",
    "optional_bits_per_octave",
    "refinement",
)
# Fields that were constants when the shipped models were made, with the values then.
# These are not hashed, so that the models keep their fingerprints.
_CONSTANTS_BEFORE = {"certain_bits": 7.0, "border": 4}


def canonical_json(codec: Codec, tile: int) -> bytes:
    """All constants beside weights and tables, in the one form that is hashed.

    Args:
        codec: built.
        tile: side of a tile in pixels.
    """
    config = asdict(codec.config)
    constants = {
        "codec": type(codec).__name__,
        "config": {**_known(config), "coder": _known(config["coder"])},
        "transforms": codec.transform_constants(),
        "stride": codec.stride,
        "tile": tile,
        "border": codec.border,
        "quality": [QUALITY_MIN, QUALITY_MAX, QUALITY_STEPS],
        "bits": [ACTIVATION_BITS, PARAMETER_BITS, PRECISION],
        "z_max": Z_MAX,
        "first_table": FIRST_TABLE.tolist(),
        "integers_per_stream": INTEGERS_PER_STREAM,
    }
    return json.dumps(constants, sort_keys=True, separators=(",", ":")).encode()


def _known(fields: dict) -> dict:
    """Those fields of a config that are hashed."""
    return {
        name: value
        for name, value in fields.items()
        if name not in _UNKNOWN_TO_DECODERS
        and (name, value) not in _CONSTANTS_BEFORE.items()
    }
