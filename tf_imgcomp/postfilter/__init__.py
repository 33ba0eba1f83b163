"""Filters of decoded images as Keras models."""
