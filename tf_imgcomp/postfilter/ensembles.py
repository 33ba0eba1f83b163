"""Views of an image that a filter can average over."""

# Quarter turns and whether mirrored, of each view. In the order of the bytes that tell
# them in files, from 1 on.
ENSEMBLES = {
    "none": ((0, False),),
    "rotations": tuple((turns, False) for turns in range(4)),
    "flips": tuple(
        (turns, mirrored) for mirrored in (False, True) for turns in range(4)
    ),
}


def signature(ensemble: str) -> str:
    """The SavedModel's function for a key of `ENSEMBLES`."""
    return "filter" if ensemble == "none" else ensemble
