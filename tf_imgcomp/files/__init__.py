"""Image files to `.tfci` files and back."""
