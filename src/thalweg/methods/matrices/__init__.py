"""Rules that use the structure of a matrix: its rows, columns, factors or singular values."""
