"""Rules that find the size of the step by themselves."""
