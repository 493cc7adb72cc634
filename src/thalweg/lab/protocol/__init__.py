"""The protocol of a fair comparison: the number of trials, their settings and the search methods."""
