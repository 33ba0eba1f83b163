"""A training run: step, loop, optimizer, validation, weights."""
