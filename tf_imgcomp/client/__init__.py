"""Models on a server instead of in this process."""
