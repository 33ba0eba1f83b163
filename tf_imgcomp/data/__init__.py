"""Reading and writing images, and feeding them to training."""
