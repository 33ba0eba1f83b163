"""Exports for model servers, and programs that start the servers."""
