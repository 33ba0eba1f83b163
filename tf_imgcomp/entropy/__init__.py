"""From latents to bits, in training (floats) and in files (integers)."""
