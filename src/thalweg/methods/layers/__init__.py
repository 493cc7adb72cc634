"""A step size per tensor, from the norms of the tensor and of its direction."""
