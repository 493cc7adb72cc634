"""Who runs the trials: processes and clusters, and what is done about those that hang."""
