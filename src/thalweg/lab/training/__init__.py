"""Training functions: a user's own loop, whose optimizer is made by the lab."""
