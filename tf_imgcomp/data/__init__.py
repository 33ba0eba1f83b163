"""Photos, pairs and rendered screens for training."""
