"""A step for each tensor, from the norms of it and of its direction."""
