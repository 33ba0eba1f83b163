"""Flags shared by compress and decompress. Importing defines them."""

from absl import flags

MODEL = flags.DEFINE_string(
    "model",
    None,
    "Id or folder of a model. Without it, the default model compresses, and the model "
    "that a file names decompresses.",
)
OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Output file for one input; output folder (created if missing) for several inputs, "
    "for a folder, or if it ends in /; - for standard output. Without it, results go "
    "beside the inputs, and that of standard input to standard output.",
)
THREADS = flags.DEFINE_integer(
    "threads",
    None,
    "Threads to compute with, and tiles of a large image coded at the same time. "
    "Without it, one for each core.",
    lower_bound=1,
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace existing files.")
