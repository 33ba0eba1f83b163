"""Rate-distortion evaluation of image codecs by real files."""
