"""Flags for the goal of a file: quality, size or PSNR. Importing defines them."""

from absl import flags

from tf_imgcomp.files.goals import DEFAULT_QUALITY, Goal, goal_of

_QUALITY = flags.DEFINE_float(
    "quality",
    None,
    f"From 1 (smallest file) to 100. Default without a goal: {DEFAULT_QUALITY:g}.",
    lower_bound=1,
    upper_bound=100,
)
_TARGET_BPP = flags.DEFINE_float(
    "target_bpp",
    None,
    "Best quality with at most this many bits per pixel.",
    lower_bound=0.001,
    upper_bound=1e6,
)
TARGET_PSNR = flags.DEFINE_float(
    "target_psnr", None, "Smallest file with at least this PSNR in dB.", lower_bound=0
)
_MAX_BYTES = flags.DEFINE_integer(
    "max_bytes", None, "Best quality with at most this many bytes.", lower_bound=1
)
_GOALS = (_QUALITY, _TARGET_BPP, TARGET_PSNR, _MAX_BYTES)
NAMES = tuple(goal.name for goal in _GOALS)
flags.mark_flags_as_mutual_exclusive(NAMES)
for _goal in _GOALS:  # Bounds let NaN pass; NaN != NaN.
    flags.register_validator(_goal.name, lambda value: value == value, "not a number")


def goal() -> Goal:
    """The goal that the flags set."""
    return goal_of(**{flag.name: flag.value for flag in _GOALS})
