"""How likely latents are, in floats, and in which order latents are coded."""
