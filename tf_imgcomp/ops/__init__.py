"""Level 0: pure tensor functions."""
