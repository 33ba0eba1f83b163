"""From latents to bits in files and back, in integers: the same on every machine."""
