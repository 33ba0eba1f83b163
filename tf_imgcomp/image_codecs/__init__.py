"""Images to strings and back: learned, filtered and classical codecs."""
