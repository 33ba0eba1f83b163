"""Level 2: from latents to bits, in training (floats) and in files (integers)."""
