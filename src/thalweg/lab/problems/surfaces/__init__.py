"""Functions of a few numbers, one file each."""
