"""Rules that ask how the gradient changes."""
