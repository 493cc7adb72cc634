"""Models and data, one file each."""
