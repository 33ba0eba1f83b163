"""How likely latents are: entropy models in floats, and the bits that they estimate."""
