"""Learned codecs as Keras models."""
