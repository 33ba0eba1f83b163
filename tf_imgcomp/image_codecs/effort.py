"""How much time an encoder spends on an image: efforts from 1 to 9.

Efforts 1 to 6 give the same file. From 7 on a learned codec refines the latents of each
image (docs/effort.md).
"""

# Iterations of the refinement, by effort.
ITERATIONS = {**dict.fromkeys(range(1, 7), 0), 7: 10, 8: 25, 9: 50}

FAST = 6  # The default: the highest effort without refinement.


def iterations(effort: int) -> int:
    """Iterations of an effort.

    Raises:
        ValueError: If there is no such effort.
    """
    if effort not in ITERATIONS:
        raise ValueError(f"Expected an effort from 1 to 9, received {effort!r}.")
    return ITERATIONS[effort]
