"""Exports that model servers run: graphs from bytes to bytes, and for tiles."""
