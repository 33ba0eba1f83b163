"""Trained Keras models to SavedModels."""
