"""Programs that start model servers: TensorFlow Serving, Triton."""
