"""Statistics of the trials, with their uncertainty."""
