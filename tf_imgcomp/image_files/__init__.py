"""Reading and writing image files of any format."""
