"""Exports for TensorFlow Serving: bytes in, bytes out, TensorFlow's operations only."""
