"""Flags shared by compress, decompress and compare. Importing defines them."""

from absl import flags

from tf_imgcomp_bin import input_flags

flags.adopt_module_key_flags(input_flags)
MODEL = flags.DEFINE_string(
    "model",
    None,
    "Id or folder of a model, or the name of a classical codec. Without it, the model "
    "that a file names decompresses it, and auto compresses: the default model; images "
    "that do not look like photos are coded with AVIF 4:4:4 and lossless WebP, too. A "
    "folder is code that runs with your rights: name only those that you trust.",
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
