"""The devices of operations, and how many of them run at once."""

# Strings, data sets and loops over symbols have no kernel for a GPU, or a slow one.
CPU = "CPU:0"

# Work side by side takes memory, and a server runs requests side by side, too.
FILES_AT_ONCE = 2
TILES_AT_ONCE = 2
STRINGS_AT_ONCE = 8  # Tiles to strings and back, without transforms.
TILES_IN_CALL = 8  # At least so many, with their surroundings, fit into a call.
