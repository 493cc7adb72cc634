"""Rules that use the change of the gradient."""
