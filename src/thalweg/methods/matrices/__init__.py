"""Rules that see a matrix as a matrix: its rows, columns, factors or singular values."""
