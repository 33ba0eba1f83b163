"""Tells one choice of an encoder's options from another, in a codec's version."""

import hashlib


def option_hash(*options: object) -> str:
    """Returns 8 hex digits that change with the options.

    Args:
        options: Everything besides the setting that decides a file's bytes: strings,
            numbers, and containers and dataclasses of them.
    """
    return hashlib.sha256(repr(options).encode()).hexdigest()[:8]
