"""What programs share: start and end, flags, messages, the loop over files."""
