"""Flags for reading pictures of unknown origin. Importing defines them."""

from absl import flags

from tf_imgcomp.size_limits import MAX_PIXELS as _MAX_PIXELS

MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    _MAX_PIXELS,
    "Refuse images of more pixels, before any work; 0 for no limit. Where a region of "
    "a file with tiles is decoded, only its pixels count.",
    lower_bound=0,
)
