"""The flags that compress and decompress share; importing it defines them."""

from absl import flags

MODEL = flags.DEFINE_string(
    "model",
    None,
    "Id of a model, or the folder of one. If not given, the default one compresses, "
    "and what a file names decompresses it.",
)
OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "A file for one input; a folder, made if missing, for several inputs or if it ends "
    "in /. If not given, results go beside the inputs.",
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace files that exist.")
