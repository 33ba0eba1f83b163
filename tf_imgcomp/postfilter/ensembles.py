"""Views of an image that a filter can average over."""

# Quarter turns of each view, and whether it is mirrored. Files name an ensemble by its
# place in this order, from 1 on.
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
