"""Descent along the gradient or its sign, with and without momentum."""
