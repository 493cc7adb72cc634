"""A table for each library: its optimizers as rows of data."""
