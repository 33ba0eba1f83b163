"""Functions on tensors and graphs that know nothing of codecs."""
