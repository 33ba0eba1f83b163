"""Flags shared by compress, decompress and compare. Importing defines them."""

from absl import flags

from tf_imgcomp.image_codecs.workers import AT_ONCE
from tf_imgcomp_bin.command_line import input_flags

flags.adopt_module_key_flags(input_flags)
MODEL = flags.DEFINE_string(
    "model",
    None,
    "Id or folder of a model, or the name of a classical codec. Default of compress: "
    "auto, which takes the default model; images that do not look like photos are also "
    "coded with AVIF 4:4:4 and lossless WebP, and the cheapest file is kept. Default "
    "of compare, and of compress with --total_bpp: the default model. Default of "
    "decompress: the model that a file names. A folder is code that runs with your "
    "rights: name only those that you trust.",
)
OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "Output file for one input. Output folder (created if missing) for several inputs, "
    "for a folder, or if it ends in /. Default: beside each input. Of compress and "
    "decompress, - is standard output, the default for standard input.",
)
THREADS = flags.DEFINE_integer(
    "threads",
    None,
    "Threads to compute with. Default: one for each core. The same number of tiles "
    f"of a large image, but at most {AT_ONCE}, are coded at the same time.",
    lower_bound=1,
)
OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace existing files.")
