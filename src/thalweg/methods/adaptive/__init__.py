"""A step size per coordinate, from the magnitudes of its past gradients."""
