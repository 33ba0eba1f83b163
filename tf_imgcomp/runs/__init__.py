"""Whole training runs: from a folder of photos to an exported model."""
